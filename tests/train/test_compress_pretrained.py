"""Hugging Face models made smaller: what is cut out is what was silenced, and transformers opens the result by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

transformers = pytest.importorskip("transformers")

from heedful.errors import Unsupported  # noqa: E402
from heedful.train.compress.activity import moments, worths  # noqa: E402
from heedful.train.compress.choose import Kept, channels_kept, heads_kept  # noqa: E402
from heedful.train.compress.pretrained import Anatomy, anatomy, cut_pretrained, matrix  # noqa: E402

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "vocab_size": 19,
    "max_position_embeddings": 32,
}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


def llama() -> object:
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL, **ENDS, num_key_value_heads=2))


def qwen() -> object:
    return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**SMALL, **ENDS, num_key_value_heads=2, head_dim=6))


def phi3() -> object:
    return transformers.Phi3ForCausalLM(transformers.Phi3Config(**SMALL, **ENDS, num_key_value_heads=2))


def gpt2() -> object:
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=16, n_layer=2, n_head=4, vocab_size=19, n_positions=32, **ENDS))


def bert() -> object:
    return transformers.BertForSequenceClassification(transformers.BertConfig(**SMALL, pad_token_id=0))


def seen_parts(made: Callable[[], object]) -> tuple[transformers.PreTrainedModel, Anatomy]:
    torch.manual_seed(0)
    model = made().eval()  # type: ignore[attr-defined]
    for weight in model.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))
    return model, anatomy(model)


@pytest.mark.parametrize("made", [llama, qwen, gpt2, bert, phi3], ids=lambda made: made.__name__)
def test_a_smaller_model_is_the_old_one_with_the_rest_silenced(made: Callable[[], object], tmp_path: Path) -> None:
    model, found = seen_parts(made)
    heads = ((1, 2), (0, 1)) if found.refusal is None else ((0, 1, 2, 3), (0, 1, 2, 3))
    kept = [Kept(*heads, tuple(range(0, 24, 3)))] * 2
    small = cut_pretrained(model, found, kept, {})
    small.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    silenced = copy.deepcopy(model)
    for layer in found.layers:
        gone = [head for head in range(4) if head not in heads[0]]
        columns = [head * layer.d + i for head in gone for i in range(layer.d)]
        if columns:
            matrix(silenced, layer.out).data[:, columns] = 0
        matrix(silenced, layer.down).data[:, [c for c in range(layer.channels) if c not in kept[0].channels]] = 0
    ids = torch.randint(3, 19, (2, 9))
    with torch.no_grad():
        torch.testing.assert_close(again(ids).logits, silenced(ids).logits, atol=2e-5, rtol=1e-4)
    assert sum(p.numel() for p in again.parameters()) < sum(p.numel() for p in model.parameters())


def test_the_least_is_lost_by_worth_and_refit() -> None:
    model, found = seen_parts(llama)
    batches = [{"input_ids": torch.randint(3, 19, (4, 16))} for _ in range(6)]
    cuts = {layer.out: layer.d for layer in found.layers} | {layer.down: 1 for layer in found.layers}
    seen = moments(model, list(cuts), batches)
    worth = worths(model, cuts, seen, batches)
    heads = heads_kept(found.layers, [worth[layer.out] for layer in found.layers], 0.5, alike=True)
    channels = channels_kept([worth[layer.down] for layer in found.layers], 0.67, alike=True)
    kept = [Kept(tuple(who), tuple(groups), tuple(inner)) for (who, groups), inner in zip(heads, channels, strict=True)]
    ids = torch.randint(3, 19, (4, 16))
    with torch.no_grad():
        exact = model(ids).logits
        bare, fitted = ((cut_pretrained(model, found, kept, each)(ids).logits - exact).square().mean() for each in ({}, seen))
    assert fitted < bare


def test_what_no_file_could_say_is_refused() -> None:
    for made, reason in ((gpt2, "GPT2LMHeadModel divides"), (bert, "BertForSequenceClassification divides")):
        model, found = seen_parts(made)
        with pytest.raises(Unsupported, match="no file could say"):
            cut_pretrained(model, found, [Kept((0, 1), (0, 1), tuple(range(found.layers[0].channels)))] * 2, {})
        assert reason in str(found.refusal).replace("the config of ", "")
    t5 = transformers.T5ForConditionalGeneration(
        transformers.T5Config(d_model=16, num_layers=1, num_heads=4, d_kv=4, d_ff=24, vocab_size=19)
    )
    with pytest.raises(Unsupported, match="T5ForConditionalGeneration: 2 feed-forward parts"):
        anatomy(t5)
