"""Linear Thompson sampling for many readers at once: the default policy. A draw of the weights, then the best edition for it."""

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
class Sampled:
    """Act by weights drawn from what is believed of them, through the allocator; `boldness` scales the draw around its mean.

    The diet's appetites and redundancy are in units of `Offer.scaled`.
    """

    beliefs: Beliefs
    diet: Diet
    boldness: float = 1.0
    name: str = "thompson"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """A draw."""
        return self.beliefs.draw(offer, rng, self.boldness)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition for that draw."""
        return batched(offer.menus(offer.scaled(self.values(offer, rng))), self.diet)

    def update(self, feedback: Feedback) -> None:
        """Learn."""
        self.beliefs.update(feedback)
