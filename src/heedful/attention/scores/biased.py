"""Biased: q · k / √d + U with a learnable U.

By distance: Shaw et al. 2018, arXiv 1803.02155; Raffel et al. 2020, arXiv 1910.10683, §2.1 (there in buckets).
"""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.scores.score import AsDot, Score, dot
from heedful.attention.scores.sizes import check_heads, check_table, distance, first_row
from heedful.errors import UsageError


@final
class Biased(Score):
    """Scaled dot plus a learnable bias over positions: U (h, max_q, max_k), or (h, 2·radius + 1) over i - j.

    A square table follows positions: query i reads row i + k - q, so a cached step equals the full pass. A table of two
    sizes (cross attention) is sliced from its start. `align="end"|"start"` says it outright. Distances beyond `radius`
    share its last entry, so a relative table serves any length. Starts at zero: plain scaled dot.

    >>> import torch
    >>> Biased(heads=2, max_q=8, max_k=8)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 4), scale=0.5).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "biased"
    is_dot = True
    adds_bias = True

    def __init__(
        self,
        heads: int,
        max_q: int | None = None,
        max_k: int | None = None,
        *,
        radius: int | None = None,
        align: str | None = None,
        shared: bool = False,
    ) -> None:
        super().__init__()
        if (radius is None) == (max_q is None or max_k is None):
            raise UsageError(f"Biased takes max_q and max_k, or radius: found max_q={max_q}, max_k={max_k}, radius={radius}")
        self.heads, self.radius = heads, radius
        self.align = align or ("end" if max_q == max_k else "start")
        sizes = (2 * radius + 1,) if radius is not None else (max_q or 0, max_k or 0)
        self.table = nn.Parameter(torch.zeros(1 if shared else heads, *sizes))

    def default_scale(self, d: int) -> float:
        """1 / √d."""
        return 1.0 / math.sqrt(d)

    def bias(self, q_len: int, k_len: int) -> Float[Tensor, "#h q k"]:
        """U for these lengths."""
        if self.radius is not None:
            return self.table[:, distance(q_len, k_len, self.radius, self.table.device)]
        check_table(self, (q_len, k_len), (self.table.shape[1], self.table.shape[2]), self.align)
        start = first_row(q_len, k_len, self.align)
        return self.table[:, start : start + q_len, :k_len]

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        check_heads(self, q, self.heads)
        return dot(q, k) * scale + self.bias(q.shape[2], k.shape[2]).to(q.dtype)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """The dot product and its bias."""
        check_heads(self, q, self.heads)
        return AsDot(q, k, self.bias(q.shape[2], k.shape[2]).to(q.dtype).unsqueeze(0))

    def as_relative_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """The dot product and, of a relative table, the entry of every distance."""
        if self.radius is None:
            return self.as_dot(q, k)
        check_heads(self, q, self.heads)
        ahead = torch.arange(1 - k.shape[2], q.shape[2], device=q.device)  # query 0 and key 0 are k_len - q_len apart
        return AsDot(q, k, relative=self.table[:, (-ahead).clamp(-self.radius, self.radius) + self.radius].to(q.dtype))
