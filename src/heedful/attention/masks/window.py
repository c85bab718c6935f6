"""Window: only near keys (Beltagy et al. 2020, Longformer, arXiv 2004.05150, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.arguments import whole
from heedful.attention.masks.density import below, share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span


@final
@dataclass(frozen=True, repr=False)
class Window(Mask):
    """q - size < k <= q + ahead: `size` keys that end at the query's own, as in Hugging Face, and `ahead` later ones.

    >>> print(Window(2).draw(4, 4))
    ■□□□
    ■■□□
    □■■□
    □□■■
    >>> print(Window(1, ahead=1).draw(3, 3))
    ■■□
    □■■
    □□■
    """

    size: int
    ahead: int = 0

    def __post_init__(self) -> None:
        whole("Window", "size", self.size, 1)
        whole("Window", "ahead", self.ahead, 0)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return (k > q - self.size) & (k <= q + self.ahead)

    @property
    def shift(self) -> bool:
        """The rule is one of k - q."""
        return True

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The window."""
        return Span(q - self.size + 1, q + self.ahead)

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        return share(below(self.ahead, q_len, k_len) - below(-self.size, q_len, k_len), q_len, k_len)
