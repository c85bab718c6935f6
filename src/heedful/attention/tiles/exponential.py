"""The exponential, in place, at the same speed everywhere."""

from __future__ import annotations

import math

from torch import Tensor


def exponential_(x: Tensor) -> Tensor:
    """e^x by way of 2^x: torch's exp on the CPU takes up to eighty times as long where the result is 0 or nearly, as beside a mask."""
    return x.mul_(1.0 / math.log(2.0)).exp2_()
