"""Query-biased: q · k / √d + q W, a projection of the query onto key positions.

The dense synthesizer: Tay et al. 2021, arXiv 2005.00743, §3.1; by distance: Shaw et al. 2018, arXiv 1803.02155.
"""

from __future__ import annotations

import math
from typing import final

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.scores.score import AsDot, Score, dot
from heedful.attention.scores.sizes import check_heads, check_table, distance
from heedful.errors import ShapeError, UsageError


@final
class QueryBiased(Score):
    """Scaled dot plus what the query itself says about each place: q W, W (h, d, max_k), or q · r over i - j, r (h, 2·radius + 1, d).

    `residual=True` adds Q to the output, the other reading of softmax(QKᵀ/√d + Q)V (values as wide as queries). Starts
    at zero: plain scaled dot.

    >>> import torch
    >>> QueryBiased(d=4, max_k=8, heads=2)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 4), scale=0.5).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "query_biased"
    is_dot = True
    adds_bias = True

    def __init__(
        self, d: int, max_k: int | None = None, heads: int = 1, *, radius: int | None = None, residual: bool = False, shared: bool = False
    ) -> None:
        super().__init__()
        if (radius is None) == (max_k is None):
            raise UsageError(f"QueryBiased takes max_k or radius: found max_k={max_k}, radius={radius}")
        self.heads, self.radius, self.residual = heads, radius, residual
        places = 2 * radius + 1 if radius is not None else (max_k or 0)
        self.weight = nn.Parameter(torch.zeros(1 if shared else heads, d, places))

    def default_scale(self, d: int) -> float:
        """1 / √d."""
        return 1.0 / math.sqrt(d)

    def bias(self, q: Float[Tensor, "b h q d"], k_len: int) -> Float[Tensor, "b h q k"]:
        """What each query adds to each place."""
        check_heads(self, q, self.heads)
        places = einsum(q, self.weight.to(q.dtype).expand(self.heads, -1, -1), "b h q d, h d p -> b h q p")
        if self.radius is None:
            check_table(self, (q.shape[2], k_len), (max(q.shape[2], k_len), self.weight.shape[2]), "start")
            return places[..., :k_len]
        at = distance(q.shape[2], k_len, self.radius, q.device)
        return places.gather(-1, at.expand(*places.shape[:2], -1, -1))

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        return dot(q, k) * scale + self.bias(q, k.shape[2])

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """The dot product and the bias that the query gives."""
        return AsDot(q, k, self.bias(q, k.shape[2]))

    def finish(self, out: Float[Tensor, "b h q v"], q: Float[Tensor, "b h q d"]) -> Float[Tensor, "b h q v"]:
        """With `residual`, the output plus Q."""
        if not self.residual:
            return out
        if out.shape != q.shape:
            raise ShapeError(
                f"residual=True adds q to the output: found q {tuple(q.shape)}, output {tuple(out.shape)}; values as wide as q would work"
            )
        return out + q
