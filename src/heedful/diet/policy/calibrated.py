"""Calibrated re-ranking (Steck 2018, RecSys): a list whose topics stand as they do in what the reader has read.

Greedily, the item that most raises (1 - weight) x sum of scores - weight x KL(p || q~), where p are the topics of the reader's past,
q those of the list, and q~ = 0.99 q + 0.01 p, as in the paper.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import by, filled

MIX: Final = 0.01


def divergence(past: Float[np.ndarray, "... t"], lists: Float[np.ndarray, "... t"]) -> Float[np.ndarray, "..."]:
    """KL(p || q~) of shares of topics.

    >>> divergence(np.array([0.5, 0.5]), np.array([0.5, 0.5])).item()
    0.0
    """
    mixed = np.maximum((1 - MIX) * lists + MIX * past, 1e-300)
    terms = past * np.log(np.where(past > 0, past, 1.0) / mixed)
    found: Float[np.ndarray, "..."] = np.where(past > 0, terms, 0.0).sum(-1)
    return found


class Calibration:
    """Scores scaled to 0..1 over the day, less what an item's topic does to the divergence."""

    def __init__(self, offer: Offer, scores: Float[np.ndarray, "r n"], past: Float[np.ndarray, "r t"], weight: float) -> None:
        low, high = scores.min(1, keepdims=True), scores.max(1, keepdims=True)
        self.scaled = (1 - weight) * (scores - low) / np.maximum(high - low, 1e-12)
        self.topic, self.past, self.weight = offer.facets["topic"], past, weight
        self.count = np.zeros_like(past)

    def scores(self) -> Float[np.ndarray, "r n"]:
        """What each item more would make of the whole."""
        topics = self.past.shape[1]
        after = self.count[:, None, :] + np.eye(topics)
        lists = after / after.sum(-1, keepdims=True)
        distance = divergence(self.past[:, None, :], lists)
        found: Float[np.ndarray, "r n"] = self.scaled - self.weight * np.take_along_axis(distance, self.topic, 1)
        return found

    def took(self, rows: Int[np.ndarray, " a"], items: Int[np.ndarray, " a"]) -> None:
        """These topics are in."""
        self.count[rows, self.topic[rows, items]] += 1


class Calibrated:
    """Rank by what is expected and in proportion to the past, which is what earned anything; at first, all topics alike."""

    def __init__(self, beliefs: Beliefs, topics: int, weight: float = 0.5, a_minute: bool = False, name: str = "calibrated") -> None:
        self.beliefs, self.weight, self.a_minute, self.name = beliefs, weight, a_minute, name
        self.read = np.ones((len(beliefs.weights), topics))

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """What is expected."""
        return self.beliefs.mean(offer)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The list."""
        values, past = self.values(offer, rng), self.read / self.read.sum(1, keepdims=True)
        return filled(offer, Calibration(offer, by(offer, values, self.a_minute), past, self.weight))

    def update(self, feedback: Feedback) -> None:
        """Learn, and count the topics of what was good."""
        self.beliefs.update(feedback)
        picks = feedback.picks
        topic = np.take_along_axis(feedback.offer.facets["topic"], np.maximum(picks, 0), 1)
        rows = np.repeat(np.arange(len(picks)), picks.shape[1])
        np.add.at(self.read, (rows, topic.ravel()), ((picks >= 0) & (feedback.rewards > 0)).ravel().astype(float))
