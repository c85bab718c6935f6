"""Advantage actor-critic (Mnih et al. 2016, arXiv 1602.01783) on an attention network. A research option.

A state is a reader's past on a morning; an item's return is what it earned a minute and, discounted, what the past with it is worth.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from heedful.diet.policy.attentive import Learning, Memory, Situation, built, gumbel, rates
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import filled
from heedful.diet.policy.topk import Still


class ActorCritic:
    """A softmax policy over candidates and a critic of situations, learnt from its own last day only.

    Arguments:
        readers, features: r and f.
        learning: of the network; `discount` is what tomorrow counts.
        entropy: what a nat of the policy's entropy is worth, so that it goes on trying.
    """

    name = "actor-critic"

    def __init__(self, readers: int, features: int, learning: Learning | None = None, entropy: float = 0.002) -> None:
        self.learning, self.entropy = learning or Learning(), entropy
        self.network, self.optimiser = built(features, self.learning)
        self.memory = Memory(readers, features, self.learning.history)

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """A draw: scores and noise."""
        with torch.no_grad():
            scores = self.network(self.memory.situation(offer))[0].numpy().astype(float)
        drawn: Float[np.ndarray, "r n"] = np.where(np.isfinite(scores), scores, -1e9) + gumbel(rng, scores.shape)
        return drawn

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition of that draw."""
        return filled(offer, Still(self.values(offer, rng)))

    def update(self, feedback: Feedback) -> None:
        """Learn from this day."""
        now = self.memory.situation(feedback.offer)
        self.memory.add(feedback)
        with torch.no_grad():
            later = self.network(self.memory.situation(feedback.offer))[1]
        for _ in range(self.learning.passes):
            self.optimiser.zero_grad()
            self.loss(now, feedback, later).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def loss(self, now: Situation, feedback: Feedback, later: Float[Tensor, " r"]) -> Float[Tensor, ""]:
        """The policy's gradient weighed by advantages, the critic's squared error, and the entropy."""
        picks = torch.from_numpy(feedback.picks)
        picked = picks >= 0
        scores, value = self.network(now)
        logs = torch.log_softmax(scores, dim=-1)
        returned = torch.from_numpy(rates(feedback).astype(np.float32)) + self.learning.discount * later[:, None]
        surprise = torch.where(picked, returned - value[:, None], 0.0)
        count = picked.sum().clamp(min=1)
        actor = -(surprise.detach() * logs.gather(1, picks.clamp(min=0))).sum() / count
        safe = torch.where(now.there, logs, 0.0)
        entropy = -(safe.exp() * safe * now.there).sum(1).mean()
        return actor + 0.5 * (surprise**2).sum() / count - self.entropy * entropy
