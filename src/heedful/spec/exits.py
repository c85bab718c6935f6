"""Where a model may stop reading a token early, and how sure it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heedful.spec.check import require


@dataclass(frozen=True)
class ExitSpec:
    """A token may leave `after` these layers (counted from 1) once the likeliest answer has `threshold` of the probability.

    >>> ExitSpec(after=(2, 4), threshold=0.9).after
    (2, 4)
    """

    after: tuple[int, ...]
    threshold: float = 1.0

    def __post_init__(self) -> None:
        rising = bool(self.after) and list(self.after) == sorted({*self.after}) and self.after[0] >= 1
        require(rising, "after", f"names layers from 1 on, each once and rising: found {list(self.after)}")
        require(0.0 < self.threshold <= 1.0, "threshold", f"is a probability above 0 and at most 1, found {self.threshold:g}")


def leaving(after: Sequence[int], layers: int) -> None:
    """Every exit stands before the last layer."""
    require(not after or after[-1] < layers, "exits", f"stand after layers 1 to {layers - 1} of {layers}: found {list(after)}")
