"""Switch-DR (Wang, Agarwal & Dudík 2017): doubly robust where weights are small, the model alone where they are large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import Log


@dataclass(frozen=True)
class SwitchDR:
    """Weights above `most` count for nothing."""

    most: float = 10.0
    name = "switch-dr"

    def __call__(self, log: Log) -> Float[np.ndarray, " n"]:
        """(n,) what each choice adds."""
        weights = log.weights
        error = log.reward - log.of_action(log.guesses)
        found: Float[np.ndarray, " n"] = log.direct + np.where(weights <= self.most, weights, 0.0) * error
        return found
