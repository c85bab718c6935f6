"""An estimate with its interval, or the reason why the log cannot carry one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import effective
from heedful.errors import HeedfulError

LEAST: Final = 50.0  # effective choices below which an interval says nothing
DRAWS: Final = 2000


class TooFew(HeedfulError):
    """The log holds too little of what the policy in question would do."""


@dataclass(frozen=True)
class Estimate:
    """The value of a policy a choice (or a list), its 95 % interval, and how many of its own choices the log is worth."""

    value: float
    low: float
    high: float
    effective: float


def estimated(
    rounds: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], seed: int = 0, least: float = LEAST, of: str = "choices"
) -> Estimate:
    """The mean of what each choice adds, with a percentile bootstrap over choices (Efron & Tibshirani 1993, ch. 13).

    >>> estimated(np.ones(100), np.ones(100))
    Estimate(value=1.0, low=1.0, high=1.0, effective=100.0)

    Arguments:
        rounds: what an estimator gave for each choice or list.
        weights: the importance weights behind them.
        least: the effective number of choices below which it is refused.
        of: what the weights are of, in words.

    Raises `TooFew`.
    """
    worth = effective(weights)
    if worth < least:
        raise TooFew(
            f"{len(weights):,} logged {of} are worth {worth:.1f} of the policy in question, and {least:g} are needed: "
            "a policy nearer to the one that chose, or a longer log with more exploration, would work"
        )
    rng, n = np.random.default_rng(seed), len(rounds)
    draws = np.array([rounds[rng.integers(n, size=n)].mean() for _ in range(DRAWS)])
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(rounds.mean()), float(low), float(high), worth)
