"""A Hugging Face model with its tokenizer: from a folder, from the local cache, or, where it is asked for, from the hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from logging import ERROR
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors import SafetensorError

from heedful.errors import CheckpointError, MissingExtra, Unsupported

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HUB = "hf:"
WEIGHTS = ("*.safetensors", "*.bin")
Kind = Literal["causal", "seq2seq", "masked", "classifier"]


@dataclass(frozen=True)
class Pretrained:
    """The model in evaluation mode, in the type its weights are kept in; `tokenizer` is None where the source has none."""

    name: str
    kind: Kind
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase | None


def is_pretrained(path: Path) -> bool:
    """Whether a folder holds a Hugging Face model: a config.json that names its kind."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "model_type" in config


def open_pretrained(target: str | Path) -> Pretrained:
    """The model and the tokenizer at `target`: a folder, the name of a model in the local cache, or hf:NAME, which downloads.

    Nothing is fetched from a network, and no code that came with a model is run, unless hf: asks for the former.

    Errors: `MissingExtra` without transformers, `CheckpointError` for what is missing, cut short or damaged, `Unsupported` for a
    model of another kind than those that read tokens.
    """
    name = str(target)
    if find_spec("transformers") is None:
        raise MissingExtra("transformers", "manage", f"opening the Hugging Face model {name}")
    from transformers import AutoConfig

    local, source = not name.startswith(HUB), name.removeprefix(HUB)
    present(source, local)
    with told(source, local), quiet():
        config = AutoConfig.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    kind = kind_of((config.architectures or [""])[0])
    if kind is None:
        found = ", ".join(config.architectures or ["no architecture"])
        raise Unsupported(
            f"{source}: holds {found}: a causal or masked language model, a sequence-to-sequence model or a classifier would work"
        )
    with told(source, local), quiet():
        model, report = builder(kind).from_pretrained(
            source, config=config, dtype="auto", local_files_only=local, trust_remote_code=False, output_loading_info=True
        )
    if report["missing_keys"]:
        raise CheckpointError(
            f"{source}: its weights are not whole: {len(report['missing_keys'])} are missing, {min(report['missing_keys'])} first"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Pretrained(source, kind, model.to(device).eval(), tokenizer_of(source, local))


def kind_of(architecture: str) -> Kind | None:
    """What a Hugging Face class is for, by its name; None where it reads no tokens or has no head.

    >>> kind_of("LlamaForCausalLM"), kind_of("BertForMaskedLM"), kind_of("LlamaModel")
    ('causal', 'masked', None)
    """
    from transformers.models.auto import modeling_auto as auto

    tables: dict[Kind, Mapping[str, Any]] = {
        "causal": auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        "masked": auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
        "seq2seq": auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
        "classifier": auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    }
    # A class may stand in several tables (BartForConditionalGeneration): what it was made for is the last.
    found = [kind for kind, table in tables.items() if architecture in table.values()]
    return found[-1] if found else None


def builder(kind: Kind) -> Any:
    """The class of transformers that opens a model of this kind."""
    import transformers

    return {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
        "seq2seq": transformers.AutoModelForSeq2SeqLM,
        "classifier": transformers.AutoModelForSequenceClassification,
    }[kind]


def tokenizer_of(source: str, local: bool) -> PreTrainedTokenizerBase | None:
    """The tokenizer beside the model, where there is one."""
    from transformers import AutoTokenizer

    try:
        with quiet():
            return AutoTokenizer.from_pretrained(source, local_files_only=local, trust_remote_code=False)
    except (OSError, ValueError, KeyError):
        return None


def present(source: str, local: bool) -> None:
    """Refuse, in words of our own, a folder that holds no model."""
    path = Path(source).expanduser()
    if not path.exists():
        return
    if not is_pretrained(path):
        raise CheckpointError(f"{source}: neither a run nor a Hugging Face model (no run.yaml, no config.json with a model_type in it)")
    if not any(True for form in WEIGHTS for _ in path.glob(form)):
        raise CheckpointError(f"{source}: a config.json, but no weights beside it: model.safetensors is missing")


@contextmanager
def told(source: str, local: bool) -> Iterator[None]:
    """What transformers says when something is missing or damaged, in one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError, ImportError) as error:
        first = (str(error) or type(error).__name__).strip().splitlines()[0]
        if local and not Path(source).expanduser().exists():
            named = not source.startswith((".", "/", "~")) and source.count("/") < 2
            hint = f": {HUB}{source} would download it" if named else ""
            raise CheckpointError(f"{source}: no run, no folder, and no model of this name in the Hugging Face cache{hint}") from None
        raise CheckpointError(f"{source}: not a whole Hugging Face model: {first}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Within it transformers draws no bars and writes no advice; as it was at the end."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(ERROR)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
