"""Each head its own window: the support of heads that have learnt how far to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span
from heedful.errors import UsageError


@final
@dataclass(frozen=True, repr=False)
class Within(Mask):
    """|q - k| < sizes[h]: head h sees its own place and so many less one on either side.

    >>> print(Within((1, 2)).draw(4, 4, head=1))
    ■■□□
    ■■■□
    □■■■
    □□■■
    """

    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 1:
            raise UsageError(f"Within(sizes=...) holds a size of 1 or more for each head: found {self.sizes}")

    @property
    def heads(self) -> int:
        """As many as there are sizes."""
        return len(self.sizes)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return (k - q).abs() < self.of(h)

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The window of the head."""
        size = self.of(h)
        return Span(q - size + 1, q + size - 1)

    def of(self, h: Index) -> Int[Tensor, "..."]:
        """The size of each head asked about."""
        return torch.tensor(self.sizes, device=h.device)[h * 0 if len(self.sizes) == 1 else h]
