"""A layer of a history's reader: causal attention and a feed-forward part, or pointwise attention under a gate.

Causal: Kang & McAuley 2018, arXiv 1808.09781 (SASRec). Pointwise: Zhai et al. 2024, arXiv 2402.17152, eq. 1-3 (HSTU): no softmax, so
that how much there is of something is not lost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from heedful.layers.mlp import mlp
from heedful.layers.norm import norm
from heedful.models import mechanisms
from heedful.models.ranker.gaps import Ages
from heedful.spec.ranker import RankerSpec


class HistoryBlock(nn.Module, ABC):
    """x (b, t, m), and a bias of its scores (b, h, t, t) -> x one layer on, and the weights (b, h, t, t) if asked for."""

    @abstractmethod
    def forward(self, x: Tensor, bias: Tensor | None, trace: bool = False) -> tuple[Tensor, Tensor | None]:
        """The stream one layer on."""


@final
class CausalBlock(HistoryBlock):
    """x + attention(norm x), then + feed(norm x); no place reads what comes after it.

    >>> block = CausalBlock(RankerSpec(vocabulary=9, width=8, heads=2)).eval()
    >>> x = torch.randn(1, 4, 8)
    >>> torch.allclose(block(x, None)[0][:, :2], block(x[:, :2], None)[0], atol=1e-6)
    True
    """

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__()
        body = spec.body
        self.attention = mechanisms.attention(body)
        self.feed = mlp(body.mlp, body.width, body.inner, body.bias)
        self.attention_norm, self.feed_norm = norm(body.norm, body.width), norm(body.norm, body.width)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x: Float[Tensor, "b t m"], bias: Tensor | None, trace: bool = False) -> tuple[Tensor, Tensor | None]:
        """The stream one layer on."""
        read, weights = self.attention_norm(x), None
        if trace:
            y, seen = self.attention(read, bias=bias, trace=True)
            weights = seen.weights
        else:
            y = self.attention(read, bias=bias)
        x = x + self.dropout(y)
        return x + self.dropout(self.feed(self.feed_norm(x))), weights


@final
class PointwiseBlock(HistoryBlock):
    """x + W (norm(A V) ⊙ U) with A = silu(Q Kᵀ/√d + bias) / t, and U, V, Q, K all silu of linear maps of norm x.

    >>> block = PointwiseBlock(RankerSpec(vocabulary=9, width=8, heads=2)).eval()
    >>> block(torch.randn(1, 4, 8), None, trace=True)[1].shape
    torch.Size([1, 2, 4, 4])
    """

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__()
        self.heads, self.length = spec.heads, spec.context
        self.inward = nn.Linear(spec.width, 4 * spec.width)
        self.outward = nn.Linear(spec.width, spec.width)
        self.norm, self.inner = norm(spec.norm, spec.width), norm(spec.norm, spec.width)
        self.ages = Ages(spec.heads, spec.context)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x: Float[Tensor, "b t m"], bias: Tensor | None, trace: bool = False) -> tuple[Tensor, Tensor | None]:
        """The stream one layer on."""
        gate, v, q, k = silu(self.inward(self.norm(x))).chunk(4, dim=-1)
        q, k, v = (rearrange(part, "b t (h d) -> b h t d", h=self.heads) for part in (q, k, v))
        place = torch.arange(x.shape[1], device=x.device)
        ages = place[:, None] - place
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + self.ages(ages)
        weights = (silu(scores if bias is None else scores + bias) / self.length).masked_fill(ages < 0, 0.0)
        y = self.inner(rearrange(weights @ v, "b h t d -> b t (h d)")) * gate
        return x + self.dropout(self.outward(y)), weights if trace else None
