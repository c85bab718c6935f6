"""Additive: wᵀ tanh(W_q q + W_k k) (Bahdanau, Cho & Bengio 2015, arXiv 1409.0473, appendix A.1.2)."""

from __future__ import annotations

from typing import final

import torch
from einops import einsum, repeat
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.scores.score import Score
from heedful.attention.scores.sizes import check_heads, check_width


@final
class Additive(Score):
    """A one-layer network of `hidden` units scores each pair of query and key; per head unless shared.

    >>> import torch
    >>> Additive(d_q=4, d_k=6, hidden=8, heads=2)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 6), scale=1.0).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "additive"
    pairwise = True

    def __init__(self, d_q: int, d_k: int, hidden: int, heads: int, shared: bool = False) -> None:
        super().__init__()
        self.heads = heads
        n = 1 if shared else heads
        self.query = nn.Parameter(torch.randn(n, d_q, hidden) * d_q**-0.5)
        self.key = nn.Parameter(torch.randn(n, d_k, hidden) * d_k**-0.5)
        self.weight = nn.Parameter(torch.randn(n, hidden) * hidden**-0.5)

    def forward(self, q: Float[Tensor, "b h q d_q"], k: Float[Tensor, "b g k d_k"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k); memory grows with q · k · hidden."""
        check_heads(self, q, self.heads)
        check_width(self, q, k, self.query.shape[1], self.key.shape[1])
        w_q, w_k, w = (p.to(q.dtype).expand(self.heads, *p.shape[1:]) for p in (self.query, self.key, self.weight))
        keys = repeat(k, "b g k d -> b (g r) k d", r=self.heads // k.shape[1])
        hidden = einsum(q, w_q, "b h q d, h d a -> b h q a").unsqueeze(-2) + einsum(keys, w_k, "b h k d, h d a -> b h k a").unsqueeze(-3)
        return einsum(torch.tanh(hidden), w, "b h q k a, h a -> b h q k") * scale
