"""Normalise: scores that are not negative, divided by their sum (Katharopoulos et al. 2020, 2006.16236, eq. 3)."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from heedful.attention.weightings.weighting import Weighting, wide


@dataclass(frozen=True)
class Normalise(Weighting):
    """w_j = s_j / Σ s, for the scores of a kernel, which are never negative; blocked entries count as 0.

    >>> import torch
    >>> Normalise()(torch.tensor([[3.0, 1.0, -torch.inf], [0.0, 0.0, 0.0]]))
    tensor([[0.7500, 0.2500, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """

    name = "normalise"

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        s = scores.to(wide(scores.dtype)).masked_fill(scores == float("-inf"), 0.0)
        total = s.sum(dim=-1, keepdim=True)
        nothing = total == 0.0
        return (s / total.masked_fill(nothing, 1.0)).masked_fill(nothing, 0.0).to(scores.dtype)
