"""Characters: one token for each that the texts contain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.errors import UsageError


class Characters(Tokenizer):
    """The distinct characters of the texts, in the order of their code points.

    A character it has not seen is refused: there is no number a model could have learnt for it.

    >>> tokens = Characters("abc")
    >>> tokens.encode("cab").tolist(), tokens.decode([2, 0, 1])
    ([2, 0, 1], 'cab')
    """

    kind: ClassVar[str] = "char"

    def __init__(self, alphabet: str) -> None:
        self.alphabet = "".join(sorted(set(alphabet)))
        self.pieces = [character.encode() for character in self.alphabet]
        self.points = code_points(self.alphabet)

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The characters of all texts; their number is what it is, so `size` is not used."""
        return cls("".join(set().union(*texts)))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the alphabet in `state`."""
        return cls(state["alphabet"])

    def state(self) -> dict[str, Any]:
        """Its alphabet."""
        return {"alphabet": self.alphabet}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The place of each character in the alphabet."""
        points = code_points(text)
        ids = np.searchsorted(self.points, points)
        known = self.points[np.minimum(ids, len(self.points) - 1)] == points
        if not known.all():
            raise self.unseen(text, int(np.argmin(known)))
        return torch.from_numpy(ids.astype(np.int64))

    def unseen(self, text: str, place: int) -> UsageError:
        """The error for a character that is not in the alphabet."""
        found = text[place]
        sample = self.alphabet if self.size <= 100 else self.alphabet[:100] + "..."
        return UsageError(
            f"character {found!r} (U+{ord(found):04X}) at place {place} is not in this vocabulary of {self.size} characters: {sample!r}"
        )


def code_points(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The code point of each character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
