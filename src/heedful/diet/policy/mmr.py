"""Maximal marginal relevance (Carbonell & Goldstein 1998): what is expected, less its likeness to what is already in the list."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import by, filled


class Marginal:
    """relevance x r_i - (1 - relevance) x max over j in the list of likeness(i, j); r scaled to 0..1 over the day, as is usual.

    Likeness is 1 for two tellings of one story, `same_topic` for two items of one topic, else 0.
    """

    def __init__(self, offer: Offer, scores: Float[np.ndarray, "r n"], relevance: float, same_topic: float = 0.5) -> None:
        low, high = scores.min(1, keepdims=True), scores.max(1, keepdims=True)
        self.scaled = relevance * (scores - low) / np.maximum(high - low, 1e-12)
        self.weight, self.same_topic = 1 - relevance, same_topic
        self.topic, self.story = offer.facets["topic"], offer.story
        self.like = np.zeros_like(self.scaled)

    def scores(self) -> Float[np.ndarray, "r n"]:
        """Now."""
        found: Float[np.ndarray, "r n"] = self.scaled - self.weight * self.like
        return found

    def took(self, rows: Int[np.ndarray, " a"], items: Int[np.ndarray, " a"]) -> None:
        """What is like these loses."""
        topic = self.same_topic * (self.topic[rows] == self.topic[rows, items][:, None])
        story = (self.story[rows] == self.story[rows, items][:, None]).astype(float)
        self.like[rows] = np.maximum(self.like[rows], np.maximum(topic, story))


@dataclass(frozen=True, eq=False)
class MMR:
    """Rank by what is expected and new to the list; `relevance` 1 is top-k."""

    beliefs: Beliefs
    relevance: float = 0.7
    a_minute: bool = False
    name: str = "mmr"

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What is expected."""
        return self.beliefs.mean(offer)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The list."""
        values = self.values(offer, rng)
        return filled(offer, Marginal(offer, by(offer, values, self.a_minute), self.relevance))

    def update(self, feedback: Feedback) -> None:
        """Learn."""
        self.beliefs.update(feedback)
