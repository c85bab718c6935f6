"""A network that scores candidates by the reader's past: each candidate attends to what was read before and what came of it.

Target attention as in Zhou et al. 2018 (DIN), with one set of weights for all readers; what is a reader's own is the past.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention


@dataclass(frozen=True)
class Learning:
    """How an attention policy learns.

    Arguments:
        width, heads: of the network.
        history: items of the past that are attended to.
        rate: Adam's learning rate.
        passes: steps of it a day.
        days: how many days back are learnt from again.
        discount: what tomorrow counts (critics only).
        seed: of the network and of what is drawn.
    """

    width: int = 32
    heads: int = 2
    history: int = 24
    rate: float = 3e-3
    passes: int = 4
    days: int = 20
    discount: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.width, self.heads, self.history, self.passes, self.days) < 1 or self.width % self.heads or not self.rate > 0:
            raise UsageError(
                f"width {self.width}, heads {self.heads}, history {self.history}, passes {self.passes}, days {self.days}, "
                f"rate {self.rate:g}: one or more of each, a rate above 0 and heads that divide the width would work"
            )


@dataclass(frozen=True, eq=False)
class Situation:
    """A morning as the network gets it: candidates (r, n, f), which of them are there, the past (r, h, f + 1), which of it is real."""

    candidates: Float[Tensor, "r n f"]
    there: Bool[Tensor, "r n"]
    past: Float[Tensor, "r h p"]
    real: Bool[Tensor, "r h"]


class Attentive(nn.Module):
    """Scores of candidates (r, n), and a value of the situation (r,)."""

    def __init__(self, features: int, learning: Learning) -> None:
        super().__init__()
        m = learning.width
        self.candidate, self.read = nn.Linear(features, m), nn.Linear(features + 1, m)
        self.attention = MultiHeadAttention(m, learning.heads)
        self.score = nn.Sequential(nn.Linear(2 * m, m), nn.GELU(), nn.Linear(m, 1))
        self.value = nn.Sequential(nn.Linear(m, m), nn.GELU(), nn.Linear(m, 1))

    def forward(self, now: Situation) -> tuple[Float[Tensor, "r n"], Float[Tensor, " r"]]:
        """Scores, -inf for candidates that are not there, and the value."""
        asked, past = self.candidate(now.candidates), self.read(now.past)
        found = self.attention(asked, past, mask=now.real[:, None, None, :])
        scores = self.score(torch.cat([asked, found], dim=-1)).squeeze(-1)
        real = now.real.unsqueeze(-1).to(past.dtype)
        mean = (past * real).sum(1) / real.sum(1).clamp(min=1.0)
        return scores.masked_fill(~now.there, -torch.inf), self.value(mean).squeeze(-1)


class Memory:
    """The past of r readers: the last `history` items with what they earned a minute."""

    def __init__(self, readers: int, features: int, history: int) -> None:
        self.past = np.zeros((readers, history, features + 1), dtype=np.float32)
        self.real = np.zeros((readers, history), dtype=bool)

    def situation(self, offer: Offer) -> Situation:
        """A morning with this past."""
        there = torch.from_numpy(np.isfinite(offer.minutes))
        candidates = torch.from_numpy(offer.features.astype(np.float32))
        return Situation(candidates, there, torch.from_numpy(self.past.copy()), torch.from_numpy(self.real.copy()))

    def add(self, feedback: Feedback) -> None:
        """Put a day's items at the end; the oldest fall out."""
        features, earned = feedback.offer.of(feedback.picks), rates(feedback)
        rows = np.concatenate([features, earned[..., None]], axis=-1).astype(np.float32)
        history = self.past.shape[1]
        self.past = np.concatenate([self.past, rows], axis=1)[:, -history:]
        self.real = np.concatenate([self.real, feedback.picks >= 0], axis=1)[:, -history:]


def rates(feedback: Feedback) -> Float[np.ndarray, "r l"]:
    """What each item earned a minute; 0 where a row has ended."""
    minutes = feedback.offer.times(feedback.picks)
    found: Float[np.ndarray, "r l"] = feedback.rewards / np.where(minutes > 0, minutes, 1.0)
    return found


def built(features: int, learning: Learning) -> tuple[Attentive, torch.optim.Adam]:
    """A network from its seed, leaving the global generator as it was, and its optimiser."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(learning.seed)
        network = Attentive(features, learning)
    return network, torch.optim.Adam(network.parameters(), lr=learning.rate)


def gumbel(rng: np.random.Generator, shape: tuple[int, ...]) -> Float[np.ndarray, "..."]:
    """Noise that makes the order of scores a draw from softmax without replacement (Plackett-Luce)."""
    found: Float[np.ndarray, "..."] = -np.log(-np.log(rng.uniform(1e-12, 1.0 - 1e-12, shape)))
    return found
