"""How far a fast result may be off: twice the error of the naive form in the same precision, and rounding."""

from __future__ import annotations

import torch
from torch import Tensor


def distance(found: Tensor, exact: Tensor) -> float:
    """The largest difference from the float64 result."""
    return (found.double() - exact.double()).abs().max().item() if exact.numel() else 0.0


def bound(naive: Tensor, exact: Tensor, dtype: torch.dtype) -> float:
    """2 x the naive form's own error in `dtype`, plus roundings of the largest value.

    Eight of them: forms that work by tiles round the log-sum-exp and compute the weights again from it. In float64 the naive form
    is what it is measured against, so that its own error shows as none: as many again are allowed for in its place, and twice.
    """
    roundings = 32 if dtype == torch.float64 else 8
    return 2 * distance(naive, exact) + roundings * torch.finfo(dtype).eps * max(exact.abs().max().item() if exact.numel() else 0.0, 1.0)
