"""How far a fast result may be off: twice the error of the naive form in the same precision, and rounding."""

from __future__ import annotations

import torch
from torch import Tensor

OUTPUT = 4  # roundings of an output
GRADIENT = 8  # of a gradient: forms that work by tiles compute the weights again, from a log-sum-exp that was rounded


def distance(found: Tensor, exact: Tensor) -> float:
    """The largest difference from the float64 result."""
    return (found.double() - exact.double()).abs().max().item() if exact.numel() else 0.0


def visible(dtype: torch.dtype) -> torch.dtype:
    """The precision in which the naive form's own error shows: `dtype`, but float32 for float64, where it is itself the measure."""
    return torch.float32 if dtype == torch.float64 else dtype


def bound(naive: Tensor, exact: Tensor, dtype: torch.dtype, roundings: int = OUTPUT) -> float:
    """2 x the naive form's own error plus `roundings` of the largest value, both in units of the last place of `dtype`.

    `naive` is computed in `visible(dtype)`, `exact` in float64 on the same numbers.
    """
    own = distance(naive, exact) / torch.finfo(naive.dtype).eps
    largest = max(exact.abs().max().item() if exact.numel() else 0.0, 1.0)
    return torch.finfo(dtype).eps * (2 * own + roundings * largest)
