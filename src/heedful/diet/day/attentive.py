"""The attention model: an item asks the reader's past reads, and takes from each what it was worth (target attention).

Zhou et al. 2018 (arXiv 1706.06978) for the candidate that queries the history; here what is taken is the past rewards themselves, so
that a score is a sum: features by their weights, and one part for each past read. It begins as the simple model and learns the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import numpy as np
from jaxtyping import Bool, Float

from heedful.diet.day.features import NAMES, Asked, pulls, without_each
from heedful.diet.day.simple import Taste

if TYPE_CHECKING:
    import torch

HEADS: Final = 2
NEARNESS: Final = 6  # what a pair of items is alike in: topic, source, viewpoint, depth, words, and the logarithm of days between
TAKEN: Final = "attention"
STEPS: Final = 80
RATE: Final = 0.06
DECAY: Final = 0.02  # towards the simple model
DAY: Final = 86_400.0


@final
@dataclass(frozen=True)
class Attentive:
    """score(i) = w · x(i) + Σ_heads g Σ_j a(i, j) reward(j), a = softmax over past reads, and over nothing, of c · nearness(i, j).

    Arguments:
        weights: (f,) of the features.
        near: (h, 6) how much each kind of nearness draws attention.
        gains: (h,) what a head's reading is worth.
    """

    weights: Float[np.ndarray, " f"]
    near: Float[np.ndarray, "h p"]
    gains: Float[np.ndarray, " h"]
    name: str = "attention"

    def parts(self, taste: Taste) -> tuple[tuple[str, ...], Float[np.ndarray, "m p"]]:
        """Each feature times its weight, and what attention takes from past reads."""
        taken = (self.read(nearness(taste.asked)) * taste.asked.rewards).sum(-1)
        return (*NAMES, TAKEN), np.concatenate([taste.x * self.weights, taken[:, None]], axis=1)

    def read(self, near: Float[np.ndarray, "m n p"], keep: Bool[np.ndarray, "m n"] | None = None) -> Float[np.ndarray, "m n"]:
        """(m, n) the weight of each past read, all heads by their gains together."""
        import torch

        with torch.inference_mode():
            allowed = None if keep is None else torch.from_numpy(keep)
            found: Float[np.ndarray, "m n"] = (
                attention(torch.from_numpy(near), torch.from_numpy(self.near), allowed)
                .mul(torch.from_numpy(self.gains)[:, None, None])
                .sum(0)
            ).numpy()
        return found

    def changes(self, taste: Taste, i: int) -> Float[np.ndarray, " n"]:
        """(n,) the score of item i less its score had each past read not been there to be read; the weights stay as they are."""
        count = len(taste.pasts)
        if not count:
            return np.zeros(0)
        one = Asked(taste.pieces[i : i + 1], np.array([taste.now]), taste.pasts, taste.like[i : i + 1], taste.wishes.length)
        near, rewards = nearness(one), taste.asked.rewards
        whole = float(self.read(near)[0] @ rewards)
        less = self.read(np.repeat(near, count, 0), ~np.eye(count, dtype=bool)) @ rewards
        found: Float[np.ndarray, " n"] = (taste.x[i] - without_each(one)) @ self.weights + whole - less
        return found

    def state(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"weights": self.weights.tolist(), "near": self.near.tolist(), "gains": self.gains.tolist()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Attentive:
        """From JSON."""
        return cls(np.array(state["weights"]), np.array(state["near"]), np.array(state["gains"]))


def nearness(asked: Asked) -> Float[np.ndarray, "m n p"]:
    """(m, n, 6) what each item and each past read have in common, and how long ago the read was (negative)."""
    like = [pull.shares for pull in pulls(asked)[:-1]] + [asked.like]
    gap = np.maximum(asked.times[:, None] - np.array([past.at for past in asked.pasts])[None, :], 0.0) / DAY
    return np.stack([*like, -np.log1p(gap)], axis=-1)


def attention(near: torch.Tensor, coefficients: torch.Tensor, keep: torch.Tensor | None) -> torch.Tensor:
    """(h, m, n) weights over past reads; what is not read of them is read of nothing, which stands first and is worth nothing."""
    import torch
    from torch.nn.functional import pad

    from heedful.attention.attend import attend

    bias = pad(torch.einsum("mnp,hp->hmn", near, coefficients), (1, 0))[None]
    mask = None if keep is None else pad(keep, (1, 0), value=True)[None, None]
    none = bias.new_zeros(1, len(coefficients), 1, 1)
    q, k = none.expand(-1, -1, near.shape[0], -1), none.expand(-1, -1, near.shape[1] + 1, -1)
    _, weights = attend(q, k, k, mask=mask, bias=bias, return_weights=True)
    return weights[0, :, :, 1:]


def fitted(taste: Taste, keep: Bool[np.ndarray, " n"]) -> Attentive:
    """Trained on the past reads of `keep`, each of which read those before it; from the simple model of the same reads."""
    import torch

    from heedful.diet.day.simple import Simple

    simple = Simple.fitted(taste, keep).weights
    near = nearness(Asked([past.piece for past in taste.pasts], np.array([past.at for past in taste.pasts]), taste.pasts, taste.between))
    told = keep & taste.whole
    before = torch.from_numpy(np.tri(len(keep), k=-1, dtype=bool) & keep[None, :])[told]
    x, rewards = torch.from_numpy(taste.learnt)[told], torch.from_numpy(taste.rewards)
    pairs, target = torch.from_numpy(near)[told], torch.from_numpy(taste.rewards[told])
    start = torch.tensor([[1.0, 1.0, 0.5, 0.5, 4.0, 0.1], [0.5, 0.5, 1.0, 0.5, 8.0, 0.5]], dtype=torch.float64)
    weights, draws = torch.from_numpy(simple.copy()).requires_grad_(), start.clone().requires_grad_()
    gains = torch.full((HEADS,), 0.1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([weights, draws, gains], lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        taken = (attention(pairs, draws, before) * rewards).sum(-1).T @ gains
        away = (weights - torch.from_numpy(simple)).square().sum() + (draws - start).square().mean() + gains.square().sum()
        loss = (x @ weights + taken - target).square().mean() + DECAY * away
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return Attentive(weights.detach().numpy(), draws.detach().numpy(), gains.detach().numpy())
