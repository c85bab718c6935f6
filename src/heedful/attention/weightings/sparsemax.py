"""Sparsemax: the nearest point of the simplex, so that weak keys get exactly nothing (Martins and Astudillo 2016, 1602.02068)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.weightings.weighting import Weighting, blocked, wide


@dataclass(frozen=True)
class Sparsemax(Weighting):
    """w = [s - τ]₊ with τ such that the row sums to one.

    >>> import torch
    >>> Sparsemax()(torch.tensor([[1.0, 0.5, -1.0]]))
    tensor([[0.7500, 0.2500, 0.0000]])
    """

    name = "sparsemax"

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        finite, shut = blocked(scores)
        s = from_the_top(finite.to(wide(scores.dtype)))
        weights = (s - threshold(s, support(s))).clamp(min=0.0)
        return weights.to(scores.dtype).masked_fill(shut, 0.0)


def from_the_top(s: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
    """The scores less their row's best, cut off at -2: no weight, and no gradient, reaches further down than -1."""
    return s if s.shape[-1] == 0 else (s - s.detach().amax(dim=-1, keepdim=True)).clamp(min=-2.0)


@torch.no_grad()
def support(s: Float[Tensor, "*rows k"]) -> Bool[Tensor, "*rows k"]:
    """Which keys get weight: the r best, r the last rank at which 1 + r s₍ᵣ₎ exceeds the sum of the r best (their eq. 4)."""
    best = s.sort(dim=-1, descending=True).values
    rank = torch.arange(1, s.shape[-1] + 1, device=s.device, dtype=s.dtype)
    inside = 1.0 + rank * best > best.cumsum(dim=-1)
    return s >= best.masked_fill(~inside, torch.inf).amin(dim=-1, keepdim=True) if s.shape[-1] else s > 0


def threshold(s: Float[Tensor, "*rows k"], inside: Bool[Tensor, "*rows k"]) -> Float[Tensor, "*rows 1"]:
    """τ = (Σ s over the support - 1) / its size; gradients flow through the sum, not through the choice."""
    size = inside.sum(dim=-1, keepdim=True)
    return (s.masked_fill(~inside, 0.0).sum(dim=-1, keepdim=True) - 1.0) / size
