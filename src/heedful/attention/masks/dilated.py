"""Dilated: a window with gaps (Beltagy et al. 2020, Longformer, arXiv 2004.05150, section 3.1, dilated sliding window)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.arguments import whole
from heedful.attention.masks.density import share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, Span, States, multiples, states


@final
@dataclass(frozen=True, repr=False)
class Dilated(Mask):
    """k = q - m step for m = 0 ... size - 1: `size` keys, the query's own and every step-th before it; `Dilated(n, 1)` is `Window(n)`.

    >>> print(Dilated(2, step=2).draw(4, 4))
    ■□□□
    □■□□
    ■□■□
    □■□■
    """

    size: int
    step: int

    def __post_init__(self) -> None:
        whole("Dilated", "size", self.size, 1)
        whole("Dilated", "step", self.step, 1)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return (k <= q) & (k > q - self.size * self.step) & ((q - k) % self.step == 0)

    @property
    def shift(self) -> bool:
        """The rule is one of k - q."""
        return True

    def reach(self, b: Index, h: Index, q: Edges, lengths: Lengths) -> tuple[Span, ...]:
        """The window that the gaps are in."""
        return (Span(self._window(q.low).low, self._window(q.high).high),)

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """As the window that the gaps are in, and nothing where no distance is a multiple of the step."""
        whole = states(self._window(q.low), self._window(q.high), k)
        return States(whole.some & multiples(q, k, self.step), whole.every & (self.step == 1))

    def _window(self, q: Index) -> Span:
        return Span(q - (self.size - 1) * self.step, q)

    def density(self, q_len: int, k_len: int) -> float:
        """The pairs at each of the distances."""
        self.fits(Lengths(q_len, k_len))
        first = max(k_len - q_len, 0)
        pairs = sum(k_len - max(first, back) for back in range(0, min(self.size * self.step, k_len), self.step))
        return share(pairs, q_len, k_len)
