"""Blocks: a sequence cut into pieces that see only themselves (Qiu et al. 2019, BlockBERT, arXiv 1911.02972, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.arguments import whole
from heedful.attention.masks.density import share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span


@final
@dataclass(frozen=True, repr=False)
class Blocks(Mask):
    """floor(q / size) = floor(k / size): the blocks are counted from the first key.

    >>> print(Blocks(2).draw(5, 5))
    ■■□□□
    ■■□□□
    □□■■□
    □□■■□
    □□□□■
    """

    size: int

    def __post_init__(self) -> None:
        whole("Blocks", "size", self.size, 1)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return q // self.size == k // self.size

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The query's own block."""
        start = q // self.size * self.size
        return Span(start, start + self.size - 1)

    def density(self, q_len: int, k_len: int) -> float:
        """Queries times keys of each block."""
        self.fits(Lengths(q_len, k_len))
        first = max(k_len - q_len, 0)
        spans = [(start, min(start + self.size, k_len)) for start in range(0, k_len, self.size)]
        return share(sum((stop - start) * max(stop - max(start, first), 0) for start, stop in spans), q_len, k_len)
