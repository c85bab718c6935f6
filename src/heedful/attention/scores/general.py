"""General, or bilinear: qᵀ W k (Luong, Pham & Manning 2015, arXiv 1508.04025, eq. 8 "general")."""

from __future__ import annotations

from typing import final

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.scores.score import AsDot, Score, dot
from heedful.attention.scores.sizes import check_heads, check_width


@final
class General(Score):
    """q W kᵀ with a learnable W (h, d_q, d_k), so that queries and keys may differ in width; starts near q · k / √d.

    >>> import torch
    >>> General(d_q=4, d_k=6, heads=2)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 6), scale=1.0).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "general"
    pairwise = True
    is_dot = True

    def __init__(self, d_q: int, d_k: int, heads: int, shared: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.weight = nn.Parameter(torch.randn(1 if shared else heads, d_q, d_k) * (d_q * d_k) ** -0.5)

    def forward(self, q: Float[Tensor, "b h q d_q"], k: Float[Tensor, "b g k d_k"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        at = self.as_dot(q, k)
        return dot(at.q * scale, at.k)

    def as_dot(self, q: Float[Tensor, "b h q d_q"], k: Float[Tensor, "b g k d_k"]) -> AsDot:
        """A dot product of q W with k."""
        check_heads(self, q, self.heads)
        check_width(self, q, k, self.weight.shape[1], self.weight.shape[2])
        weight = self.weight.to(q.dtype).expand(self.heads, -1, -1)
        return AsDot(einsum(q, weight, "b h q d, h d e -> b h q e"), k)
