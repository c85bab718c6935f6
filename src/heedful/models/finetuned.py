"""Any Hugging Face encoder as a classifier of ours: its layers under a new head, learnt whole or by an adapter (Devlin et al. 2019)."""

from __future__ import annotations

import json
from typing import Any, Final, final

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from heedful.errors import CheckpointError, MissingExtra, ShapeError, UsageError
from heedful.layers.pooling import MeanPooling
from heedful.layers.trace import Trace
from heedful.models.classifier import Classifier, ClassifierOutput, output
from heedful.models.finetuning import adapted
from heedful.models.pretrained import HUB, present, quiet, tokenizer_of, told
from heedful.spec.classifier import PretrainedSpec

LONGEST: Final = 512  # tokens of a text where the model itself names no bound


@final
class Finetuned(Classifier):
    """The encoder's last states, the mean over the text's own places, and a score for each class.

    The marks that the encoder wants around a text ([CLS], </s>) are put there, and left out of the mean and of what is explained.

    Errors: `MissingExtra` without transformers, `UsageError` for a spec whose `config` is not filled in (`described` does).
    """

    def __init__(self, spec: PretrainedSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        said = json.loads(spec.config or "{}")
        if not said:
            raise UsageError(
                "model.path names no encoder yet: --model hf:PATH, a folder or the name of a model in the local cache, would work"
            )
        self.before, self.after = marks(said, "before"), marks(said, "after")
        self.padding = int(said["padding"])
        self.network: Any = built(said["config"])
        adapted(self.network, spec)
        self.pool = MeanPooling()
        self.dropout = nn.Dropout(spec.dropout)
        self.head = output(width_of(self.network), len(spec.labels))

    def begin(self) -> None:
        """Take the weights of the encoder at the spec's path; what an adapter adds stays as it is.

        Raises `CheckpointError` for a path that has none, or those of another model.
        """
        name, local = source_of(self.spec.path)
        found = opened(name, local).state_dict()
        mine = self.network.state_dict()
        names = {key.replace(".base_layer.", "."): key for key in mine}
        missing = sorted(key for key in names if key not in found and not ADDED.intersection(key.split(".")))
        if missing:
            raise CheckpointError(f"{self.spec.path}: its weights do not fit its config: {missing[0]} is missing")
        self.network.load_state_dict(mine | {names[key]: value for key, value in found.items() if key in names})

    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text, and with `trace` what each layer read of its own places."""
        real = real_of(ids, lengths)
        whole, held = self.marked(ids, real)
        own = torch.zeros_like(held)
        own[:, len(self.before) : len(self.before) + ids.shape[1]] = real
        found, seen = self.states(whole, held, trace)
        vector, pooled = self.pool(found, own)
        first, last = len(self.before), len(self.before) + ids.shape[1]
        traces = tuple(Trace(weights[..., first:last, first:last], f"layer {i + 1}") for i, weights in enumerate(seen))
        return ClassifierOutput(self.head(self.dropout(vector)), None, traces, pooled[:, first:last])

    def states(self, ids: Int[Tensor, "b t"], held: Bool[Tensor, "b t"], trace: bool) -> tuple[Tensor, tuple[Tensor, ...]]:
        """The last states, and with `trace` the attention weights of every layer."""
        if int(ids.max()) >= self.network.get_input_embeddings().weight.shape[0]:
            raise ShapeError(f"token {int(ids.max())} is not in this model's vocabulary of {self.vocabulary}")
        if not trace:
            return self.network(input_ids=ids, attention_mask=held.long()).last_hidden_state, ()
        before = self.network.config._attn_implementation
        if before == "heedful_prefix":
            return self.network(input_ids=ids, attention_mask=held.long()).last_hidden_state, ()
        self.network.set_attn_implementation("eager")
        try:
            said = self.network(input_ids=ids, attention_mask=held.long(), output_attentions=True)
        finally:
            self.network.set_attn_implementation(before)
        return said.last_hidden_state, tuple(said.attentions)

    def marked(self, ids: Int[Tensor, "b t"], real: Bool[Tensor, "b t"]) -> tuple[Int[Tensor, "b n"], Bool[Tensor, "b n"]]:
        """The texts with their marks: the closing ones right behind each text's last token, padding after them."""
        lengths = real.sum(1)
        rows, total = len(ids), len(self.before) + ids.shape[1] + len(self.after)
        whole = torch.full((rows, total), self.padding, device=ids.device)
        whole[:, : len(self.before)] = torch.tensor(self.before, device=ids.device, dtype=torch.long)
        whole[:, len(self.before) : len(self.before) + ids.shape[1]] = torch.where(real, ids, self.padding)
        end = len(self.before) + lengths
        for i, mark in enumerate(self.after):
            whole[torch.arange(rows, device=ids.device), end + i] = mark
        held = torch.arange(total, device=ids.device) < (end + len(self.after))[:, None]
        return whole, held


ADDED: Final = frozenset({"lora_A", "lora_B", "prefix", "bottleneck"})


def real_of(ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None) -> Bool[Tensor, "b t"]:
    """Which places are no padding."""
    if lengths is None:
        return torch.ones_like(ids, dtype=torch.bool)
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]


def described(spec: PretrainedSpec) -> tuple[PretrainedSpec, dict[str, Any]]:
    """The spec with the encoder's own configuration, marks and length in it, and its tokenizer's state.

    Errors: `MissingExtra` without transformers, `CheckpointError` for what is missing or damaged, `UsageError` for a model without a
    tokenizer that can be taken over, or a context that it cannot place.
    """
    name, local = source_of(spec.path)
    network = opened(name, local)
    tokenizer: Any = tokenizer_of(name, local)
    if tokenizer is None or not tokenizer.is_fast:
        raise UsageError(f"{spec.path}: no tokenizer.json beside the model, so no text can be read: save one in its folder")
    probe = tokenizer("a", add_special_tokens=True)["input_ids"]
    body = tokenizer("a", add_special_tokens=False)["input_ids"]
    at = next(i for i in range(len(probe)) if probe[i : i + len(body)] == body)
    before, after = probe[:at], probe[at + len(body) :]
    most = places_of(network) - len(before) - len(after)
    if spec.context > most:
        raise UsageError(
            f"model.context is {spec.context}, and {spec.path} places {most} tokens beside its marks: {most} or fewer would work"
        )
    config = {"before": before, "after": after, "padding": tokenizer.pad_token_id or 0, "config": network.config.to_dict()}
    state = {"version": 1, "kind": "pretrained", "engine": tokenizer.backend_tokenizer.to_str()}
    filled = PretrainedSpec(
        context=spec.context or most,
        path=spec.path,
        labels=spec.labels,
        adapter=spec.adapter,
        size=spec.size,
        dropout=spec.dropout,
        config=json.dumps(config, default=str),
    )
    return filled, state


def source_of(path: str) -> tuple[str, bool]:
    """Where the model is, and whether it is on this machine: hf:PATH of a folder too."""
    if not path:
        raise UsageError("model.path is empty: --model hf:PATH, a folder or the name of a Hugging Face model, would work")
    name = path.removeprefix(HUB)
    return name, True


def opened(name: str, local: bool) -> Any:
    """The encoder without a head, in float32."""
    try:
        from transformers import AutoModel
    except ImportError:
        raise MissingExtra("transformers", "manage", f"opening the Hugging Face model {name}") from None
    present(name, local)
    with told(name, False), quiet():
        model = AutoModel.from_pretrained(name, local_files_only=local, trust_remote_code=False, dtype=torch.float32)
    if model.config.is_encoder_decoder or "last_hidden_state" not in layout(model):
        raise UsageError(f"{name}: {type(model).__name__} is no encoder: a model such as BertModel would work")
    return model


def layout(model: Any) -> tuple[str, ...]:
    """What it returns for two tokens."""
    with torch.no_grad():
        return tuple(model(input_ids=torch.zeros(1, 2, dtype=torch.long), attention_mask=torch.ones(1, 2, dtype=torch.long)).keys())


def built(config: dict[str, Any]) -> Any:
    """A freshly started encoder of this configuration."""
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError:
        raise MissingExtra("transformers", "manage", "a Hugging Face encoder") from None
    start: Any = AutoModel
    kind = config["model_type"]
    with quiet():
        made = start.from_config(AutoConfig.for_model(**{**config, "model_type": kind, "dtype": "float32"}))
    if "pooler" in made._modules:
        made.pooler = None  # a summary that nothing here reads
    return made


def width_of(network: Any) -> int:
    """The width of the encoder's states."""
    return int(network.config.hidden_size)


def places_of(network: Any) -> int:
    """The most tokens it can place; of RoBERTa's kind two fewer than its table has."""
    most = int(vars(network.config).get("max_position_embeddings") or LONGEST)
    shifted = {"roberta", "xlm-roberta", "camembert", "longformer"}
    return most - 2 if network.config.model_type in shifted else most


def marks(said: dict[str, Any], name: str) -> list[int]:
    """The ids of the marks on one side of a text."""
    return [int(mark) for mark in said[name]]
