"""Scaled dot product: q · k / √d (Vaswani et al. 2017, arXiv 1706.03762, eq. 1)."""

from __future__ import annotations

import math
from typing import final

from jaxtyping import Float
from torch import Tensor

from heedful.attention.scores.score import AsDot, Score, dot


@final
class ScaledDot(Score):
    """Q Kᵀ / √d: the variance of a dot product of d terms grows with d, and √d keeps the scores from growing with it.

    >>> import torch
    >>> ScaledDot()(torch.ones(1, 1, 1, 16), torch.ones(1, 1, 1, 16), scale=ScaledDot().default_scale(16)).item()
    4.0
    """

    name = "scaled_dot"
    pairwise = True
    is_dot = True

    def default_scale(self, d: int) -> float:
        """1 / √d."""
        return 1.0 / math.sqrt(d)

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        return dot(q * scale, k)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """It is one already."""
        return AsDot(q, k)
