"""How high the right item stands among all: hits, discounted gain and reciprocal rank, equal scores shared fairly.

Among all items, never a sample: sampled metrics order models otherwise (Krichene & Rendle 2020, KDD). Where others have the right item's
score, each metric is its mean over all orders of them, so that a constant score earns no more than chance (McSherry & Najork 2008, ECIR).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Gain(NamedTuple):
    """One number a history: was it among the first k, by what discount 1/log2(1 + rank), and 1/rank over the whole catalogue."""

    hit: Float[Tensor, " b"]
    ndcg: Float[Tensor, " b"]
    reciprocal: Float[Tensor, " b"]


def gain(scores: Float[Tensor, "b v"], right: Int[Tensor, " b"], k: int) -> Gain:
    """The gain of the right item of each row.

    >>> found = gain(torch.tensor([[3.0, 2.0, 1.0], [0.0, 0.0, 0.0]]), torch.tensor([1, 2]), k=2)
    >>> [round(float(x), 4) for x in (*found.hit, *found.ndcg)]
    [1.0, 0.6667, 0.6309, 0.5436]
    """
    mine = scores.gather(1, right[:, None])
    above = (scores > mine).sum(1)
    equal = (scores == mine).sum(1)  # itself among them
    discounts = 1 / torch.log2(torch.arange(k, device=scores.device, dtype=torch.float64) + 2)
    inverse = 1 / torch.arange(1, scores.shape[1] + 1, device=scores.device, dtype=torch.float64)
    low, high = above.clamp(max=k), (above + equal).clamp(max=k)
    summed, inverses = (torch.cat([part.new_zeros(1), part.cumsum(0)]) for part in (discounts, inverse))
    share = equal.clamp(min=1).double()
    listed = torch.isfinite(mine[:, 0]).double()
    hit, ndcg = (high - low) / share, (summed[high] - summed[low]) / share
    return Gain(hit * listed, ndcg * listed, (inverses[above + equal] - inverses[above]) / share * listed)
