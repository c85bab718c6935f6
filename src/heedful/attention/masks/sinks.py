"""Sinks: the first keys stay visible (Xiao et al. 2023, StreamingLLM, arXiv 2309.17453, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.arguments import whole
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span


@final
@dataclass(frozen=True, repr=False)
class Sinks(Mask):
    """k < n: every query sees the first n keys, later ones than itself too unless `& Causal()` says otherwise.

    >>> from heedful.masks import Causal, Window
    >>> print((Causal() & (Sinks(1) | Window(2))).draw(4, 4))
    ■□□□
    ■■□□
    ■■■□
    ■□■■
    """

    n: int

    def __post_init__(self) -> None:
        whole("Sinks", "n", self.n, 0)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return k < self.n

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The first keys."""
        return Span(0, self.n - 1)

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        return min(self.n, k_len) / k_len if q_len and k_len else 0.0
