"""The edition of chance: every candidate is worth as much as any other. What pilots and logs for other policies are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.edition.batched import batched
from heedful.diet.edition.menu import Diet
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks


@dataclass(frozen=True, eq=False)
class Chance:
    """Values drawn evenly from 0 to 1 a minute, through the allocator; nothing is learnt."""

    diet: Diet
    name: str = "chance"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """Any."""
        found: Float[np.ndarray, "r n"] = rng.random(offer.minutes.shape) * np.where(np.isfinite(offer.minutes), offer.minutes, 0.0)
        return found

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition for that."""
        return batched(offer.menus(self.values(offer, rng)), self.diet)

    def update(self, feedback: Feedback) -> None:
        """Nothing is learnt."""
