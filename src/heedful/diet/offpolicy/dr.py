"""The doubly robust estimator (Dudík, Langford & Li 2011): the model's guess, and the weighted error of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import Log


@dataclass(frozen=True)
class DR:
    """Right where either the propensities or the model are; no weight counts more than `most`."""

    most: float = np.inf
    name = "dr"

    def __call__(self, log: Log) -> Float[np.ndarray, " n"]:
        """(n,) what each choice adds."""
        error = log.reward - log.of_action(log.guesses)
        found: Float[np.ndarray, " n"] = log.direct + np.minimum(log.weights, self.most) * error
        return found
