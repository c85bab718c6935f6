"""No tokens: what stands in a run's tokenizer where it reads no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.errors import UsageError


class NoTokens(Tokenizer):
    """Knows no token, and refuses every text.

    >>> NoTokens().size
    0
    """

    kind: ClassVar[str] = "none"

    def __init__(self) -> None:
        self.pieces = []

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """There is nothing to learn."""
        return cls()

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """There is nothing to remember."""
        return cls()

    def state(self) -> dict[str, Any]:
        """There is nothing to remember."""
        return {}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """Refused: a run without tokens reads no text."""
        raise UsageError(f"this run reads no text, and was given {text[:20]!r}: an input of its own kind would work")
