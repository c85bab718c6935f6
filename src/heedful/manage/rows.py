"""Rows: only some of the queries attend, so that only their part of a pass is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Int64
from torch import Tensor

from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, States


@final
@dataclass(frozen=True, repr=False)
class Rows(Mask):
    """start <= q < stop, by position.

    >>> print(Rows(1, 3).draw(4, 4))
    □□□□
    ■■■■
    ■■■■
    □□□□
    """

    start: int
    stop: int

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return (q >= self.start) & (q < self.stop)

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """What the first and the last query of a block say."""
        return States((q.high >= self.start) & (q.low < self.stop), (q.low >= self.start) & (q.high < self.stop))

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """All bits or none."""
        return -(self.allowed(b, h, q, k, lengths) & (k == k)).long()
