"""Concat: vᵀ tanh(W [q ; k]) (Luong, Pham & Manning 2015, arXiv 1508.04025, eq. 8 "concat")."""

from __future__ import annotations

from typing import final

import torch
from einops import einsum, repeat
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.scores.score import Score
from heedful.attention.scores.sizes import check_heads, check_width


@final
class Concat(Score):
    """The query (a decoder state) joined to each key (an encoder output), through one matrix W and a tanh, onto v.

    W [q ; k] splits into W_1 q + W_2 k, so the joined pairs are never formed. `per_channel` gives the weights of the
    variant that is not reduced by v: one softmax over the keys for each hidden channel.

    >>> import torch
    >>> Concat(d_q=4, d_k=6, hidden=8, heads=2)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 6), scale=1.0).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "concat"
    pairwise = True

    def __init__(self, d_q: int, d_k: int, hidden: int, heads: int, shared: bool = False) -> None:
        super().__init__()
        self.heads, self.d_q, self.d_k = heads, d_q, d_k
        n = 1 if shared else heads
        self.weight = nn.Parameter(torch.randn(n, d_q + d_k, hidden) * (d_q + d_k) ** -0.5)
        self.v = nn.Parameter(torch.randn(n, hidden) * hidden**-0.5)

    def hidden(self, q: Float[Tensor, "b h q d_q"], k: Float[Tensor, "b g k d_k"]) -> Float[Tensor, "b h q k a"]:
        """tanh(W [q ; k]) for every pair."""
        check_heads(self, q, self.heads)
        check_width(self, q, k, self.d_q, self.d_k)
        weight = self.weight.to(q.dtype).expand(self.heads, -1, -1)
        keys = repeat(k, "b g k d -> b (g r) k d", r=self.heads // k.shape[1])
        of_query = einsum(q, weight[:, : self.d_q], "b h q d, h d a -> b h q a")
        of_key = einsum(keys, weight[:, self.d_q :], "b h k d, h d a -> b h k a")
        return torch.tanh(of_query.unsqueeze(-2) + of_key.unsqueeze(-3))

    def forward(self, q: Float[Tensor, "b h q d_q"], k: Float[Tensor, "b g k d_k"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k); memory grows with q · k · hidden."""
        v = self.v.to(q.dtype).expand(self.heads, -1)
        return einsum(self.hidden(q, k), v, "b h q k a, h a -> b h q k") * scale
