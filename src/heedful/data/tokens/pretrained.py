"""The tokenizer of a Hugging Face model, as its own engine writes it: taken over, never learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, final

import tokenizers
import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.errors import UsageError


@final
class PretrainedPieces(Tokenizer):
    """The pieces of a pretrained model, without the marks it puts around a text (the model adds those itself)."""

    kind: ClassVar[str] = "pretrained"

    def __init__(self, engine: tokenizers.Tokenizer) -> None:
        self.engine = engine
        engine.no_truncation()
        engine.no_padding()
        names = sorted(engine.get_vocab(with_added_tokens=True).items(), key=lambda pair: pair[1])
        word_pieces = any(name.startswith("##") for name, _ in names)
        self.pieces = [plain(name, word_pieces).encode() for name, _ in names]

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """It is a model's own and cannot be learnt."""
        raise UsageError("a pretrained tokenizer comes with its model: char, byte, word or bpe can be learnt")

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the engine's own JSON in `state`."""
        return cls(tokenizers.Tokenizer.from_str(state["engine"]))

    def state(self) -> dict[str, Any]:
        """The engine's own JSON."""
        return {"engine": self.engine.to_str()}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The ids of `text`."""
        return torch.tensor(self.engine.encode(text, add_special_tokens=False).ids, dtype=torch.long)


def plain(name: str, word_pieces: bool) -> str:
    """A piece as it stands in a text.

    >>> plain("##ing", True), plain("walk", True), plain("Ġwalk", False), plain("▁walk", False)
    ('ing', ' walk', ' walk', ' walk')
    """
    if word_pieces:
        return name.removeprefix("##") if name.startswith("##") else f" {name}"
    return name.replace("Ġ", " ").replace("▁", " ").replace("Ċ", "\n")
