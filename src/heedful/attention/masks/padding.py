"""Padding: keys that only fill a shorter sequence up are not seen (Vaswani et al. 2017, arXiv 1706.03762, batching)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.arguments import integers
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Span
from heedful.errors import ShapeError, UsageError, unknown


@final
@dataclass(frozen=True, repr=False, eq=False)
class Padding(Mask):
    """The first (padding on the right) or the last (on the left) `lengths[b]` keys of sequence b are real, the others padding.

    >>> Padding(torch.tensor([3, 1])).dense(3, 3)[:, 0, 0].int()
    tensor([[1, 1, 1],
            [1, 0, 0]], dtype=torch.int32)
    >>> Padding(torch.tensor([3, 1]), side="left").dense(3, 3)[:, 0, 0].int()
    tensor([[1, 1, 1],
            [0, 0, 1]], dtype=torch.int32)
    """

    lengths: Int[Tensor, " b"]
    side: Literal["right", "left"] = "right"
    longest: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        lengths = integers("Padding", "lengths", self.lengths, "b")
        if self.side not in ("right", "left"):
            raise unknown("side of Padding", self.side, ["left", "right"])
        if lengths.numel() and int(lengths.min()) < 0:
            raise UsageError(f"Padding(lengths=...) holds lengths of 0 or more: found {int(lengths.min())}")
        object.__setattr__(self, "lengths", lengths)
        object.__setattr__(self, "longest", int(lengths.max()) if lengths.numel() else 0)

    @property
    def batch(self) -> int:
        """As many as there are lengths."""
        return self.lengths.shape[0]

    @property
    def stable(self) -> bool:
        """Padding on the left moves when keys are added and the lengths are not."""
        return self.side == "right"

    @property
    def home(self) -> torch.device:
        """The device of the lengths."""
        return self.lengths.device

    @property
    def example(self) -> Lengths:
        """The longest sequence."""
        return Lengths(self.longest, self.longest)

    def to(self, device: torch.device) -> Mask:
        """The same lengths on `device`."""
        return self if self.lengths.device == device else replace(self, lengths=self.lengths.to(device))

    def fits(self, lengths: Lengths) -> None:
        """No sequence longer than the keys."""
        super().fits(lengths)
        if self.longest > lengths.k:
            raise ShapeError(f"{self} has a sequence of {self.longest} keys: found {lengths.k} keys")

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        real = self.lengths[b * 0 if self.batch == 1 else b]
        return k < real if self.side == "right" else k >= lengths.k - real

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span:
        """The real keys."""
        real = self.lengths[b * 0 if self.batch == 1 else b]
        return Span(0, real - 1) if self.side == "right" else Span(lengths.k - real, lengths.k - 1)

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        return float(self.lengths.double().mean()) / k_len if q_len and k_len and self.batch else 0.0
