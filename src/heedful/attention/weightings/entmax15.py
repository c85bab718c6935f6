"""Entmax-1.5: between softmax and sparsemax, smooth and still sparse (Peters, Niculae and Martins 2019, 1905.05702)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.weightings.sparsemax import from_the_top
from heedful.attention.weightings.weighting import Weighting, blocked, wide


@dataclass(frozen=True)
class Entmax15(Weighting):
    """w = [s/2 - τ]₊² with τ such that the row sums to one, found exactly by sorting.

    >>> import torch
    >>> Entmax15()(torch.tensor([[1.0, 0.5, -1.0]]))
    tensor([[0.6740, 0.3260, 0.0000]])
    """

    name = "entmax15"

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        finite, shut = blocked(scores)
        s = from_the_top(finite.to(wide(scores.dtype)) / 2.0)
        weights = (s - threshold(s, support(s))).clamp(min=0.0).square()
        return weights.to(scores.dtype).masked_fill(shut, 0.0)


@torch.no_grad()
def support(s: Float[Tensor, "*rows k"]) -> Bool[Tensor, "*rows k"]:
    """Which keys get weight: the r best, r the last rank whose own threshold lies below its score (their algorithm 2)."""
    best = s.sort(dim=-1, descending=True).values
    rank = torch.arange(1, s.shape[-1] + 1, device=s.device, dtype=s.dtype)
    mean = best.cumsum(dim=-1) / rank
    spread = best.square().cumsum(dim=-1) - rank * mean.square()
    inside = mean - ((1.0 - spread) / rank).clamp(min=0.0).sqrt() < best
    return s >= best.masked_fill(~inside, torch.inf).amin(dim=-1, keepdim=True) if s.shape[-1] else s > 0


def threshold(s: Float[Tensor, "*rows k"], inside: Bool[Tensor, "*rows k"]) -> Float[Tensor, "*rows 1"]:
    """τ = mean - √((1 - Σ (s - mean)²) / size) over the support; the root never reaches zero, so its gradient is finite."""
    size = inside.sum(dim=-1, keepdim=True)
    mean = s.masked_fill(~inside, 0.0).sum(dim=-1, keepdim=True) / size
    spread = (s - mean).masked_fill(~inside, 0.0).square().sum(dim=-1, keepdim=True)
    return mean - ((1.0 - spread) / size).sqrt()
