"""Independent inverse propensity scores (Li et al. 2018): an item's reward depends on itself and its place alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.slates import SlateLog


@dataclass(frozen=True)
class IIPS:
    """Each place by the weight of its own item."""

    name = "iips"

    def __call__(self, log: SlateLog) -> Float[np.ndarray, " s"]:
        """(s,) what each list adds; the mean is the estimate."""
        return log.by_list(log.by_item_policy / log.by_item * log.reward)
