"""Cascade doubly robust estimation (Kiyohara et al. 2022, arXiv 2202.01562, eq. 5): RIPS whose variance a model takes off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.slates import SlateLog
from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class CascadeDR:
    """What a model expects from each place to the end of the list, and the weighted error of it.

    Arguments:
        chosen: (n,) the model's guess for the item that was chosen: its reward and those after it.
        policy: (n,) the same, averaged over what the policy in question would choose at this place.
    """

    chosen: Float[np.ndarray, " n"]
    policy: Float[np.ndarray, " n"]
    name = "cascade-dr"

    def __call__(self, log: SlateLog) -> Float[np.ndarray, " s"]:
        """(s,) what each list adds; the mean is the estimate."""
        if self.chosen.shape != log.reward.shape or self.policy.shape != log.reward.shape:
            raise UsageError(
                f"the model's guesses must have the {len(log.reward)} rows of the log, found {self.chosen.shape}, {self.policy.shape}"
            )
        cascade, policy = log.both_cascades()
        weights = policy / cascade
        before = np.where(log.place == 0, 1.0, np.roll(weights, 1))
        return log.by_list(weights * (log.reward - self.chosen) + before * self.policy)
