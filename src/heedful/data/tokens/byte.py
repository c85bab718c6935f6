"""Bytes of UTF-8: 256 tokens, nothing to learn, nothing unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer


class Bytes(Tokenizer):
    """Every byte is a token.

    >>> Bytes().encode("hé").tolist()
    [104, 195, 169]
    """

    kind: ClassVar[str] = "byte"

    def __init__(self) -> None:
        self.pieces = [bytes([i]) for i in range(256)]

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
        """The bytes of `text`."""
        data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        return torch.from_numpy(data.astype(np.int64))
