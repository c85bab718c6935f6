"""What every policy does, whether it guesses, draws or reckons: values, an edition, and learning from what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.policy.offer import Offer

Picks = Int[np.ndarray, "r l"]


@dataclass(frozen=True, eq=False)
class Feedback:
    """What came of editions: the offer they were made from, what was picked, and what each earned (0 where a row has ended)."""

    offer: Offer
    picks: Picks
    rewards: Float[np.ndarray, "r l"]


class Policy(Protocol):
    """A way to spend a morning's minutes, for r readers at once."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What each candidate is worth to each reader, in the reward's units, as the policy sees it this time."""

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """(r, l) the editions: candidates in the order they are read, -1 after the end. Never over the budget."""

    def update(self, feedback: Feedback) -> None:
        """Learn from editions that were read."""
