"""The tokenizers there are, and their files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heedful import atomic
from heedful.data.tokens.bpe import Pieces
from heedful.data.tokens.byte import Bytes
from heedful.data.tokens.char import Characters
from heedful.data.tokens.grams import Grams
from heedful.data.tokens.items import Items
from heedful.data.tokens.none import NoTokens
from heedful.data.tokens.pretrained import PretrainedPieces
from heedful.data.tokens.runs import LetteredRuns, Runs
from heedful.data.tokens.tokenizer import Tokenizer
from heedful.data.tokens.word import Words
from heedful.errors import CheckpointError, unknown

TOKENIZERS: tuple[type[Tokenizer], ...] = (Characters, Bytes, Words, Pieces, NoTokens, Runs, LetteredRuns, Grams, Items)
TAKEN_OVER: tuple[type[Tokenizer], ...] = (PretrainedPieces,)  # opened from a file, never learnt
VERSION = 1


def train_tokenizer(kind: str, texts: Sequence[str], size: int | None = None) -> Tokenizer:
    """A tokenizer of this kind, learnt from `texts` (the training text first).

    >>> train_tokenizer("char", ["hello"]).size
    4
    """
    return kind_of(kind).train(texts, size)


def tokenizer_state(tokenizer: Tokenizer) -> dict[str, Any]:
    """Everything needed to make `tokenizer` again, as JSON data."""
    return {"version": VERSION, "kind": tokenizer.kind, "size": tokenizer.size, **tokenizer.state()}


def tokenizer_from(state: Mapping[str, Any], name: str = "the tokenizer") -> Tokenizer:
    """The tokenizer that `state` describes; `CheckpointError` if it describes none."""
    version = state.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise CheckpointError(f"{name}: tokenizer version {version!r}, this Heedful reads up to {VERSION}: upgrade Heedful")
    try:
        return kind_of(str(state.get("kind"))).from_state(state)
    except (KeyError, TypeError, IndexError) as error:
        raise CheckpointError(f"{name}: not a whole {state.get('kind')} tokenizer: {error!r} is missing or of another form") from None


def save_tokenizer(tokenizer: Tokenizer, path: Path) -> None:
    """Write `tokenizer` to a JSON file, whole or not at all."""
    atomic.write(path, json.dumps(tokenizer_state(tokenizer), ensure_ascii=False))


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a JSON file; `CheckpointError` if it is missing, cut short or newer than this Heedful."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: no such file: the run has no tokenizer") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cut short or not JSON: {error}") from None
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: not a tokenizer: the file holds {type(state).__name__}")
    return tokenizer_from(state, str(path))


def kind_of(name: str) -> type[Tokenizer]:
    """The class of this kind of tokenizer."""
    for kind in (*TOKENIZERS, *TAKEN_OVER):
        if kind.kind == name:
            return kind
    raise unknown("tokenizer", name, [kind.kind for kind in TOKENIZERS])
