"""Softmax: every allowed key gets some weight (Bahdanau et al. 2015, 1409.0473; Vaswani et al. 2017, 1706.03762)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.weightings.weighting import Weighting, blocked, wide


@dataclass(frozen=True)
class Softmax(Weighting):
    """w_j = exp(s_j) / Σ exp(s).

    >>> import torch
    >>> Softmax()(torch.tensor([[0.0, 0.0, -torch.inf], [-torch.inf] * 3]))
    tensor([[0.5000, 0.5000, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """

    name = "softmax"

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        finite, shut = blocked(scores)
        return torch.softmax(finite, dim=-1, dtype=wide(scores.dtype)).to(scores.dtype).masked_fill(shut, 0.0)

    def unblocked(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The same without looking for blocked entries, which takes longer than the softmax itself."""
        return torch.softmax(scores, dim=-1, dtype=wide(scores.dtype)).to(scores.dtype)
