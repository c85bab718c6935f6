"""Conservative Q-learning for discrete actions (Kumar et al. 2020, arXiv 2006.04779, eq. 4) on an attention network. A research option.

An action is one item; its Q is what it earns a minute and, discounted, what the best of the next morning are worth on average
(an edition's value taken as the mean of its items', as in SlateQ, Ie et al. 2019). Q-values of items that the log did not show are
pressed down, so that a policy learnt from a log does not reach for what was never tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.diet.policy.attentive import Learning, Memory, Situation, built, rates
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Picks
from heedful.diet.policy.ranked import filled
from heedful.diet.policy.topk import Still


@dataclass(frozen=True, eq=False)
class Passed:
    """A day, what it earned a minute (r, l), and the morning after it."""

    now: Situation
    picks: Int[Tensor, "r l"]
    earned: Float[Tensor, "r l"]
    after: Situation


class CQL:
    """The items of the highest Q until the minutes are full.

    Arguments:
        readers, features: r and f.
        learning: of the network; `discount` is what tomorrow counts.
        caution: the weight of logsumexp Q - Q(shown).
    """

    name = "cql"

    def __init__(self, readers: int, features: int, learning: Learning | None = None, caution: float = 0.1) -> None:
        self.learning, self.caution = learning or Learning(), caution
        self.network, self.optimiser = built(features, self.learning)
        self.memory = Memory(readers, features, self.learning.history)
        self.rng = np.random.default_rng(self.learning.seed)
        self.days: list[Passed] = []
        self.open: tuple[Situation, Feedback] | None = None

    def values(self, offer: Offer, rng: np.random.Generator) -> Float[np.ndarray, "r n"]:
        """Q."""
        with torch.no_grad():
            found = self.network(self.memory.situation(offer))[0].numpy().astype(float)
        return np.where(np.isfinite(found), found, -1e9)

    def choose(self, offer: Offer, rng: np.random.Generator) -> Picks:
        """The edition."""
        return filled(offer, Still(self.values(offer, rng)))

    def update(self, feedback: Feedback) -> None:
        """Learn from the days that have a morning after them."""
        now = self.memory.situation(feedback.offer)
        if self.open is not None:
            before, day = self.open
            earned = torch.from_numpy(rates(day).astype(np.float32))
            self.days = [*self.days, Passed(before, torch.from_numpy(day.picks), earned, now)][-self.learning.days :]
        self.open = now, feedback
        self.memory.add(feedback)
        for _ in range(self.learning.passes if self.days else 0):
            again = self.days[int(self.rng.integers(len(self.days)))]
            self.optimiser.zero_grad()
            self.loss(again).backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()

    def loss(self, day: Passed) -> Float[Tensor, ""]:
        """The squared error of Bellman's equation, and the caution."""
        picked = day.picks >= 0
        with torch.no_grad():
            after = self.network(day.after)[0]
            best = after.topk(min(day.picks.shape[1], after.shape[1]), dim=1).values
            tomorrow = torch.where(best > -torch.inf, best, 0.0).mean(1)
        scores = self.network(day.now)[0]
        of_picks = scores.gather(1, day.picks.clamp(min=0))
        target = day.earned + self.learning.discount * tomorrow[:, None]
        count = picked.sum().clamp(min=1)
        error = torch.where(picked, of_picks - target, 0.0)
        above = torch.where(picked, torch.logsumexp(scores, dim=1)[:, None] - of_picks, 0.0)
        return ((error**2).sum() + self.caution * above.sum()) / count
