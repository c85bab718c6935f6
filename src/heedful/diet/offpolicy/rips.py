"""Reward-interaction inverse propensity scores (McInerney et al. 2020): an item's reward depends on those before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.slates import SlateLog


@dataclass(frozen=True)
class RIPS:
    """Each place by the weight of the list up to it."""

    name = "rips"

    def __call__(self, log: SlateLog) -> Float[np.ndarray, " s"]:
        """(s,) what each list adds; the mean is the estimate."""
        cascade, policy = log.both_cascades()
        return log.by_list(policy / cascade * log.reward)
