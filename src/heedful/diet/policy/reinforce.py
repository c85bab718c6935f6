"""Top-K off-policy-corrected REINFORCE (Chen et al. 2019, WSDM, arXiv 1812.02353, eq. 7) on an attention network. A research option."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.diet.policy.attentive import Learning, Memory, Situation, built, gumbel, rates
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import filled
from heedful.diet.policy.topk import Still


@dataclass(frozen=True, eq=False)
class Shown:
    """A day to learn from: picks (r, l), the chance that what chose them gave each as the next item, and advantages (r, l)."""

    now: Situation
    picks: Int[Tensor, "r l"]
    chance: Float[Tensor, "r l"]
    gained: Float[Tensor, "r l"]


def loss(scores: Float[Tensor, "r n"], day: Shown, cap: float) -> Float[Tensor, ""]:
    """- mean over picks of min(pi/beta, cap) x K (1 - pi)^(K - 1) x advantage x log pi; the weights carry no gradient."""
    picked = day.picks >= 0
    logs = torch.log_softmax(scores, dim=-1).gather(1, day.picks.clamp(min=0))
    chance = logs.detach().exp()
    k = picked.sum(1, keepdim=True).clamp(min=1).to(chance.dtype)
    weight = (chance / day.chance).clamp(max=cap) * k * (1 - chance) ** (k - 1)
    terms = torch.where(picked, weight * day.gained * logs, 0.0)
    return -terms.sum() / picked.sum().clamp(min=1)


class Reinforce:
    """A softmax policy over candidates, drawn without replacement until the minutes are full.

    It learns from its own days and from those of any policy whose picks it is given (`Feedback`): those are taken to have been drawn
    evenly, as `Chance` does.

    Arguments:
        readers, features: r and f.
        learning: of the network.
        cap: the largest weight a pick gets.
    """

    name = "reinforce"

    def __init__(self, readers: int, features: int, learning: Learning | None = None, cap: float = 5.0) -> None:
        self.learning, self.cap = learning or Learning(), cap
        self.network, self.optimiser = built(features, self.learning)
        self.memory = Memory(readers, features, self.learning.history)
        self.rng = np.random.default_rng(self.learning.seed)
        self.days: list[Shown] = []
        self.own: tuple[Picks, Float[np.ndarray, "r n"]] | None = None
        self.usual = 0.0

    def scores(self, offer: Offer) -> Float[np.ndarray, "r n"]:
        """Log chances of each candidate as the next item."""
        with torch.no_grad():
            found: Float[np.ndarray, "r n"] = self.network(self.memory.situation(offer))[0].numpy().astype(float)
        return found

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """A draw: scores and noise."""
        scores = self.scores(offer)
        drawn: Float[np.ndarray, "r n"] = np.where(np.isfinite(scores), scores, -1e9) + gumbel(rng, scores.shape)
        return drawn

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition of that draw."""
        scores = self.scores(offer)
        safe = np.where(np.isfinite(scores), scores, -1e9)
        picks = filled(offer, Still(safe + gumbel(rng, scores.shape)))
        top = safe - safe.max(1, keepdims=True)
        self.own = picks, np.exp(top) / np.exp(top).sum(1, keepdims=True)
        return picks

    def update(self, feedback: Feedback) -> None:
        """Learn from this day and some before it."""
        self.days = [*self.days, self.shown(feedback)][-self.learning.days :]
        self.memory.add(feedback)
        for _ in range(self.learning.passes):
            day = self.days[int(self.rng.integers(len(self.days)))]
            self.optimiser.zero_grad()
            loss(self.network(day.now)[0], day, self.cap).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def shown(self, feedback: Feedback) -> Shown:
        """A day with its advantages over what is usual."""
        picks, now = feedback.picks, self.memory.situation(feedback.offer)
        count = np.maximum(now.there.numpy().sum(1, keepdims=True), 1)
        chance = np.broadcast_to(1.0 / count, picks.shape)
        if self.own is not None and self.own[0] is picks:
            chance = np.take_along_axis(self.own[1], np.maximum(picks, 0), 1)
        earned, picked = rates(feedback), picks >= 0
        mean = float(earned[picked].mean()) if picked.any() else self.usual
        self.usual = mean if not self.days else 0.9 * self.usual + 0.1 * mean
        gained = torch.from_numpy((earned - self.usual).astype(np.float32))
        return Shown(now, torch.from_numpy(picks), torch.from_numpy(np.maximum(chance, 1e-6).astype(np.float32)), gained)
