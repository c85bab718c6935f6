"""Causal: no query sees a later key (Vaswani et al. 2017, arXiv 1706.03762, section 3.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.density import below, share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span


@final
@dataclass(frozen=True, repr=False)
class Causal(Mask):
    """k <= q: a query sees its own key and the earlier ones; the last query sees the last key.

    >>> print(Causal().draw(2, 4))
    ■■■□
    ■■■■
    """

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return k <= q

    @property
    def shift(self) -> bool:
        """The rule is one of k - q."""
        return True

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """Up to the query's own."""
        return Span(0, q)

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        return share(below(0, q_len, k_len), q_len, k_len)
