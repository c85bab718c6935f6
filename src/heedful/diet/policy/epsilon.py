"""Epsilon-greedy (Sutton & Barto 2018, ch. 2): what is expected, but for a share of candidates that are valued by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.edition.batched import batched
from heedful.diet.edition.menu import Diet
from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks


@dataclass(frozen=True, eq=False)
class Epsilon:
    """Act by the likeliest weights; each candidate is tried with chance `epsilon` as if it were the best of the day."""

    beliefs: Beliefs
    diet: Diet
    epsilon: float = 0.01
    name: str = "epsilon-greedy"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What is expected, or the best value a minute of the day."""
        minutes = np.where(np.isfinite(offer.minutes), offer.minutes, 1.0)
        mean = self.beliefs.mean(offer)
        best = np.maximum((mean / minutes).max(1, keepdims=True), 1e-6) * minutes
        return np.where(rng.random(mean.shape) < self.epsilon, best, mean)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition for that."""
        return batched(offer.menus(offer.scaled(self.values(offer, rng))), self.diet)

    def update(self, feedback: Feedback) -> None:
        """Learn."""
        self.beliefs.update(feedback)
