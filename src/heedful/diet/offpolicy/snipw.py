"""Self-normalised inverse propensity weighting (Swaminathan & Joachims 2015): sum of w r over sum of w."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import Log


@dataclass(frozen=True)
class SNIPW:
    """Rewards by their weights, these made to have mean 1.

    >>> log = Log(np.array([0, 1]), np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    >>> SNIPW()(log).mean().item()
    1.0
    """

    name = "snipw"

    def __call__(self, log: Log) -> Float[np.ndarray, " n"]:
        """(n,) what each choice adds; zeros where the policy would have chosen nothing that was chosen."""
        weights = log.weights
        mean = weights.mean()
        found: Float[np.ndarray, " n"] = weights * log.reward / mean if mean else np.zeros(len(weights))
        return found
