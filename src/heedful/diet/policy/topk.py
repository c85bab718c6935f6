"""The top-k baseline: the best items first, by value or by value a minute, until the minutes are full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import by, filled


@dataclass(frozen=True, eq=False)
class Still:
    """Scores that do not change while a list is made."""

    fixed: Float[np.ndarray, "r n"]

    def scores(self) -> Float[np.ndarray, "r n"]:
        """As they were."""
        return self.fixed

    def took(self, rows: Int[np.ndarray, " a"], items: Int[np.ndarray, " a"]) -> None:
        """Nothing changes."""


@dataclass(frozen=True, eq=False)
class TopK:
    """Rank by what is expected."""

    beliefs: Beliefs
    a_minute: bool = False
    name: str = "top-k"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What is expected."""
        return self.beliefs.mean(offer)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The list."""
        values = self.values(offer, rng)
        return filled(offer, Still(by(offer, values, self.a_minute)))

    def update(self, feedback: Feedback) -> None:
        """Learn."""
        self.beliefs.update(feedback)
