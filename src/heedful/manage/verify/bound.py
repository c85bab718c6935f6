"""An upper bound on a mean difference: the studentised bootstrap over blocks (Efron & Tibshirani 1993, chapter 12.5)."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float

from heedful.errors import UsageError

LEVEL: Final = 0.95
DRAWS: Final = 4000
FEW: Final = 20  # blocks below which the bound leans on each one of them
ALONE: Final = 1e-6  # of the standard error: a draw that spreads less is of one block, or of some that are alike
SLICE: Final = 2_000_000  # counts held at a time


class Bound(NamedTuple):
    """A mean and the number that it is below of with probability `level`, from so many blocks; infinite where they are too few."""

    mean: float
    upper: float
    error: float  # standard error of the mean
    blocks: int
    level: float = LEVEL

    @property
    def few(self) -> bool:
        """Whether there are so few blocks that the bound may be off."""
        return self.blocks < FEW


def upper_bound(sums: Float[np.ndarray, " n"], counts: Float[np.ndarray, " n"], level: float = LEVEL, seed: int = 0) -> Bound:
    """The bound of sum(sums) / sum(counts), where blocks (`sums` of differences, over `counts` places) are drawn independently.

    What belongs together (the tokens of a sequence) must be one block: tokens are not independent, and as blocks would
    promise too much. Each draw takes as many blocks, with replacement, and its mean is measured in its own standard
    errors, so that the bound holds for few blocks and skewed differences too; two or three blocks give no finite bound.

    >>> upper_bound(np.array([1.0, 2.0, 3.0, 2.0, 1.0, 3.0]), np.ones(6))[:2] > (2.0, 2.0)
    True
    >>> upper_bound(np.zeros(8), np.ones(8)).upper, upper_bound(np.ones(2), np.ones(2)).upper
    (0.0, 1.0)

    Raises `UsageError` for no blocks, for blocks without places and for numbers that are not finite.
    """
    check(sums, counts, level)
    number, mean = len(sums), float(sums.sum() / counts.sum())
    error = float(errors(sums[None], counts[None], np.ones((1, number)))[0])
    if np.ptp(sums / counts) == 0 and (number > 1 or mean == 0):
        return Bound(mean, mean, 0.0, number, level)
    if number == 1:
        return Bound(mean, math.inf, math.inf, number, level)
    distances = studentised(sums, counts, mean, error, np.random.default_rng(seed))
    lowest = float(np.quantile(distances, 1 - level, method="inverted_cdf"))
    return Bound(mean, mean - lowest * error, error, number, level)


def studentised(
    sums: Float[np.ndarray, " n"], counts: Float[np.ndarray, " n"], mean: float, error: float, chance: np.random.Generator
) -> np.ndarray:
    """How far each draw's mean is from `mean`, in the draw's own standard errors; draws of blocks that are alike are infinitely far."""
    number = len(sums)
    found = []
    step = max(1, SLICE // number)
    for start in range(0, DRAWS, step):
        drawn = chance.multinomial(number, np.full(number, 1 / number), size=min(step, DRAWS - start)).astype(float)
        means = drawn @ sums / (drawn @ counts)
        spread = errors(sums[None], counts[None], drawn)
        spread[spread < ALONE * error] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((means - mean) / spread)
    distances = np.concatenate(found)
    return np.where(np.isnan(distances), 0.0, distances)


def errors(sums: np.ndarray, counts: np.ndarray, drawn: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " r"]:
    """The standard error of each draw's ratio of sums, by linearisation."""
    number = drawn.shape[1]
    total = (drawn * counts).sum(1)
    means = (drawn * sums).sum(1) / total
    spread = (drawn * (sums - means[:, None] * counts) ** 2).sum(1)
    spread[(drawn > 0).sum(1) == 1] = 0.0
    return np.asarray(np.sqrt(spread * number / max(number - 1, 1)) / total)


def check(sums: np.ndarray, counts: np.ndarray, level: float) -> None:
    """Refuse what no bound can be made of."""
    if len(sums) == 0 or len(sums) != len(counts):
        raise UsageError(f"a bound needs a sum and a count for each block: found {len(sums)} sums and {len(counts)} counts")
    if not (np.isfinite(sums).all() and (counts > 0).all()):
        raise UsageError(
            "a bound needs finite differences over at least one place in each block: found others; is the model's output finite?"
        )
    if not 0.5 < level < 1:
        raise UsageError(f"level={level}: a bound holds with probability between 0.5 and 1; 0.95 would work")
