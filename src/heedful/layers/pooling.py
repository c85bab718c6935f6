"""One vector of a whole text: the mean of its places, or a learned attention over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.errors import unknown


class Pooling(nn.Module, ABC):
    """Features (b, t, m) and which of the places are real to a vector (b, m), and how much each place counts (b, t)."""

    @abstractmethod
    def weights(self, x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None) -> Float[Tensor, "b t"]:
        """How much each place counts: 0 where it is not real, 1 together."""

    def forward(self, x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None = None) -> tuple[Float[Tensor, "b m"], Tensor]:
        """The weighted sum of the places, and the weights."""
        weights = self.weights(x, real).to(x.dtype)
        return (weights[:, None] @ x).squeeze(1), weights


@final
class MeanPooling(Pooling):
    """Every real place counts the same.

    >>> import torch
    >>> vector, weights = MeanPooling()(torch.ones(1, 4, 2), torch.tensor([[True, True, False, False]]))
    >>> vector.tolist(), weights.tolist()
    ([[1.0, 1.0]], [[0.5, 0.5, 0.0, 0.0]])
    """

    def weights(self, x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None) -> Float[Tensor, "b t"]:
        """One over the real places."""
        counted = torch.ones_like(x[..., 0]) if real is None else real.to(x.dtype)
        return counted / counted.sum(1, keepdim=True).clamp(min=1)


@final
class AttentionPooling(Pooling):
    """softmax over places of w · tanh(W x + b) (Yang et al. 2016, NAACL, eq. 5-7).

    >>> import torch
    >>> vector, weights = AttentionPooling(8)(torch.randn(2, 5, 8))
    >>> vector.shape, bool((weights.sum(1) - 1).abs().max() < 1e-6)
    (torch.Size([2, 8]), True)
    """

    def __init__(self, dim: int, hidden: int | None = None) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, hidden or dim)
        self.query = nn.Linear(hidden or dim, 1, bias=False)

    def weights(self, x: Float[Tensor, "b t m"], real: Bool[Tensor, "b t"] | None) -> Float[Tensor, "b t"]:
        """The attention over the real places, in float32."""
        scores: Tensor = self.query(torch.tanh(self.hidden(x))).squeeze(-1).float()
        if real is None:
            return scores.softmax(1)
        return scores.masked_fill(~real, -torch.inf).softmax(1).masked_fill(~real.any(1, keepdim=True), 0.0)


POOLINGS = ("mean", "attention")


def pooling(kind: str, dim: int) -> Pooling:
    """The pooling called "mean" or "attention"; `UsageError` for another name."""
    if kind == "mean":
        return MeanPooling()
    if kind == "attention":
        return AttentionPooling(dim)
    raise unknown("pooling", kind, POOLINGS)
