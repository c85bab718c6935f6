"""Which weights to return: some heads and some queries instead of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from torch import Tensor

from heedful.errors import ShapeError

T = TypeVar("T", bound=Tensor)


@dataclass(frozen=True, slots=True)
class Select:
    """The heads and the queries whose weights are wanted, by index (negative ones count from the end); None means all.

    With `average`, one matrix (b, 1, q, k): the mean over those heads, for which the engines hold no matrix of each head.

    >>> import torch, heedful
    >>> q = torch.randn(1, 4, 6, 8)
    >>> out, weights = heedful.attend(q, q, q, return_weights=heedful.Select(heads=[0, 3], queries=[-1]))
    >>> weights.shape
    torch.Size([1, 2, 1, 6])
    """

    heads: Sequence[int] | None = None
    queries: Sequence[int] | None = None
    average: bool = False

    def check(self, heads: int, queries: int) -> None:
        """Refuse an index that is not there."""
        for name, chosen, size in (("heads", self.heads, heads), ("queries", self.queries, queries)):
            for index in chosen or ():
                if not -size <= index < size:
                    raise ShapeError(f"Select({name}=...) asks for index {index}: found {size} {name}")

    def of(self, weights: Tensor) -> Tensor:
        """The chosen part of weights (b, h, q, k)."""
        if self.heads is not None:
            weights = weights[:, list(self.heads)]
        if self.queries is not None:
            weights = weights[:, :, list(self.queries)]
        return weights.mean(1, keepdim=True) if self.average else weights
