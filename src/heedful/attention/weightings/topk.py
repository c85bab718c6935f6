"""Top-k attention: softmax over the k best keys of each query (Gupta et al. 2021, 2106.06899)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.weightings.softmax import Softmax
from heedful.attention.weightings.weighting import Weighting
from heedful.errors import UsageError


@dataclass(frozen=True)
class TopK(Weighting):
    """Softmax over exactly the k best keys; of equal scores at the edge the earlier keys are kept.

    Args:
        k: how many keys a query may weigh; all of them where fewer are allowed.
        straight_through: gradients as if every key had been weighed, so that a key left out can come back.

    Raises:
        UsageError: `k` is under one.

    >>> import torch
    >>> TopK(2)(torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    tensor([[0.7311, 0.2689, 0.0000, 0.0000]])
    """

    k: int
    straight_through: bool = False

    name = "topk"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"top-k was asked to keep k={self.k} keys: 1 or more would work")

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        weights = Softmax()(scores.masked_fill(~best(scores, self.k), -torch.inf))
        if not self.straight_through:
            return weights
        everywhere = Softmax()(scores)
        return weights.detach() + (everywhere - everywhere.detach())


@torch.no_grad()
def best(scores: Float[Tensor, "*rows k"], count: int) -> Bool[Tensor, "*rows k"]:
    """Which are the `count` best of each row, earlier ones first among equals (torch.topk leaves that open)."""
    if count >= scores.shape[-1]:
        return torch.ones_like(scores, dtype=torch.bool)
    last = scores.topk(count, dim=-1).values[..., -1:]
    above, level = scores > last, scores == last
    return above | (level & (level.cumsum(dim=-1) <= count - above.sum(dim=-1, keepdim=True)))
