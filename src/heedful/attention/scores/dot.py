"""Plain dot product: q · k (Luong, Pham & Manning 2015, arXiv 1508.04025, eq. 8 "dot")."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor

from heedful.attention.scores.score import AsDot, Score, dot


@final
class Dot(Score):
    """Q Kᵀ, without a scale.

    >>> import torch
    >>> Dot()(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 4), scale=1.0).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "dot"
    pairwise = True
    is_dot = True

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        return dot(q * scale, k)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """It is one already."""
        return AsDot(q, k)
