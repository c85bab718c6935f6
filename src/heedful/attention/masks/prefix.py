"""Prefix: a beginning that all may see (Raffel et al. 2020, T5, arXiv 1910.10683, section 3.2.1, prefix language model)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.arguments import integers, whole
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span
from heedful.errors import UsageError


@final
@dataclass(frozen=True, repr=False, eq=False)
class Prefix(Mask):
    """k < n: every query sees the first n keys; n is one number, or one for each sequence.

    >>> from heedful.masks import Causal
    >>> print((Causal() | Prefix(2)).draw(4, 4))
    ■■□□
    ■■□□
    ■■■□
    ■■■■
    >>> Prefix(torch.tensor([1, 3])).dense(4, 4).shape
    torch.Size([2, 1, 1, 4])
    """

    n: int | Int[Tensor, " b"]

    def __post_init__(self) -> None:
        if isinstance(self.n, int):
            return whole("Prefix", "n", self.n, 0)
        n = integers("Prefix", "n", self.n, "b")
        if n.numel() and int(n.min()) < 0:
            raise UsageError(f"Prefix(n=...) holds lengths of 0 or more: found {int(n.min())}")
        object.__setattr__(self, "n", n)

    @property
    def batch(self) -> int | None:
        """As many as there are lengths."""
        return None if isinstance(self.n, int) else self.n.shape[0]

    @property
    def home(self) -> torch.device | None:
        """The device of the lengths."""
        return None if isinstance(self.n, int) else self.n.device

    def to(self, device: torch.device) -> Mask:
        """The same lengths on `device`."""
        return self if isinstance(self.n, int) or self.n.device == device else replace(self, n=self.n.to(device))

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return k < self._length(b)

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The first keys."""
        return Span(0, self._length(b) - 1)

    def _length(self, b: Index) -> Index | int:
        return self.n if isinstance(self.n, int) else self.n[b * 0 if self.batch == 1 else b]

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        n = torch.as_tensor(self.n).clamp(max=k_len).double()
        return float(n.mean()) / k_len if q_len and k_len and n.numel() else 0.0
