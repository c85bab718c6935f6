"""Inverse propensity weighting (Horvitz & Thompson 1952; Strehl et al. 2010): mean of w r."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import Log


@dataclass(frozen=True)
class IPW:
    """Rewards by their weights, of which none counts more than `most`.

    >>> log = Log(np.array([0, 1]), np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    >>> IPW()(log).tolist()
    [2.0, 0.0]
    """

    most: float = np.inf
    name = "ipw"

    def __call__(self, log: Log) -> Float[np.ndarray, " n"]:
        """(n,) what each choice adds; the mean is the estimate."""
        found: Float[np.ndarray, " n"] = np.minimum(log.weights, self.most) * log.reward
        return found
