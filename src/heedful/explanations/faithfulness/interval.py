"""How sure a mean over texts is: bootstrap intervals, of differences in pairs (Efron & Tibshirani 1993, ch. 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from heedful.errors import UsageError


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the two ends between which it lies in 95 of 100 draws of texts."""

    mean: float
    low: float
    high: float

    @property
    def above(self) -> bool:
        """Whether all of it is above zero."""
        return self.low > 0


def interval(values: Sequence[float], draws: int = 2000, seed: int = 0, level: float = 0.95) -> Interval:
    """The mean of values and its interval, by drawing them again with replacement.

    >>> found = interval([1.0, 1.0, 1.0])
    >>> found.mean, found.low, found.high
    (1.0, 1.0, 1.0)
    """
    if not values:
        raise UsageError("a mean of nothing: one text or more would work")
    data = torch.tensor(values, dtype=torch.float64)
    drawn = data[torch.randint(len(data), (draws, len(data)), generator=torch.Generator().manual_seed(seed))].mean(1)
    ends = drawn.quantile(torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    return Interval(float(data.mean()), float(ends[0]), float(ends[1]))


def paired(ours: Sequence[float], theirs: Sequence[float], draws: int = 2000, seed: int = 0) -> Interval:
    """The mean difference over the same texts, and its interval."""
    return interval([a - b for a, b in zip(ours, theirs, strict=True)], draws, seed)
