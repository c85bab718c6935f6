"""The learning rate as a pure function of the step."""

from __future__ import annotations

import math
from collections.abc import Callable

from heedful.spec.train import Schedule


def factor(schedule: Schedule, step: int, total: int, warmup: int, floor: float) -> float:
    """The share of the peak rate at optimiser step `step` (from 0) of `total`.

    It climbs linearly over `warmup` steps to 1 and falls to `floor` at the last step; "inverse_sqrt" falls as the root of the steps
    whatever their number, and not below `floor` (Vaswani et al. 2017, arXiv 1706.03762, §5.3).

    >>> [round(factor("linear", step, total=5, warmup=2, floor=0.0), 2) for step in range(5)]
    [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    if schedule == "inverse_sqrt":
        return max(floor, math.sqrt(max(1, warmup) / (step + 1)))
    span = max(1, total - 1 - warmup)
    fall = FALLS[schedule](min(1.0, (step - warmup) / span))
    return floor + (1.0 - floor) * fall


def constant(progress: float) -> float:
    """Never falls."""
    return 1.0


def linear(progress: float) -> float:
    """Falls at an even pace."""
    return 1.0 - progress


def cosine(progress: float) -> float:
    """Falls along half a cosine: slowly, quickly, slowly (Loshchilov and Hutter 2017)."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


FALLS: dict[Schedule, Callable[[float], float]] = {"constant": constant, "linear": linear, "cosine": cosine}
