"""What linear policies believe of many readers: the posterior of `LinearThompson`, one for each reader, updated together."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback
from heedful.diet.policy.prior import Prior
from heedful.errors import UsageError


class Beliefs:
    """Linear rewards of r readers, who start from one prior.

    The rewards are learnt a minute (`by_minute`), since what an item is worth grows with its minutes, or an item.

    Arguments:
        readers: r.
        prior: what is known of a new reader, in the units that rewards are learnt in.
        keep: what yesterday's evidence counts today; interests drift.
    """

    def __init__(self, readers: int, prior: Prior, keep: float = 0.99, by_minute: bool = True) -> None:
        if readers < 1 or not 0 <= keep <= 1:
            raise UsageError(f"{readers} readers, of whose evidence {keep:g} is kept: one or more and a share from 0 to 1 would work")
        self.noise, self.keep, self.by_minute = prior.noise, keep, by_minute
        self.start = prior.belief(readers)
        self.posterior = self.start
        self.weights = self.posterior.mean

    def update(self, feedback: Feedback) -> None:
        """A day's editions."""
        features, targets = learnt(feedback, self.by_minute)
        if self.keep < 1:
            self.posterior = self.posterior.faded(self.keep, self.start)
        self.posterior = self.posterior.seen(features, targets, self.noise)
        self.weights = self.posterior.mean

    def mean(self, offer: Offer) -> Float[np.ndarray, "r n"]:
        """What each candidate is expected to earn."""
        return self.reward(offer, self.weights)

    def draw(self, offer: Offer, rng: np.random.Generator, boldness: float = 1.0) -> Float[np.ndarray, "r n"]:
        """What each candidate may earn; `boldness` 1 draws from the posterior, less draws nearer to its mean."""
        return self.reward(offer, self.weights + boldness * self.posterior.astray(rng.standard_normal(self.weights.shape)))

    def reward(self, offer: Offer, weights: Float[np.ndarray, "r f"]) -> Float[np.ndarray, "r n"]:
        """What such weights make of the candidates."""
        rates: Float[np.ndarray, "r n"] = (offer.features @ weights[..., None])[..., 0]
        if self.by_minute:
            rates = rates * np.where(np.isfinite(offer.minutes), offer.minutes, 0.0)
        return rates


def learnt(feedback: Feedback, by_minute: bool) -> tuple[Float[np.ndarray, "r l f"], Float[np.ndarray, "r l"]]:
    """The features of what was picked and what it earned, a minute or an item; zeros where a row has ended."""
    minutes = feedback.offer.times(feedback.picks)
    targets = feedback.rewards / np.where(minutes > 0, minutes, 1.0) if by_minute else feedback.rewards
    return feedback.offer.of(feedback.picks), np.where(minutes > 0, targets, 0.0)
