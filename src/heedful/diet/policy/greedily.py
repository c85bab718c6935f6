"""The greedy baseline: the best edition for what is expected, without trying anything to learn of it."""

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
class Greedily:
    """Act by the likeliest weights, through the allocator; the diet is in units of `Offer.scaled`."""

    beliefs: Beliefs
    diet: Diet
    name: str = "greedy"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What is expected."""
        return self.beliefs.mean(offer)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition for that."""
        return batched(offer.menus(offer.scaled(self.values(offer, rng))), self.diet)

    def update(self, feedback: Feedback) -> None:
        """Learn."""
        self.beliefs.update(feedback)
