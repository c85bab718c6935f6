"""Content-biased: s q · k + v · S_j (the global content term of Transformer-XL: Dai et al. 2019, arXiv 1901.02860, eq. 5 term c)."""

from __future__ import annotations

import copy
import math
from typing import final

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.scores.score import AsDot, Score, dot
from heedful.attention.scores.sizes import check_heads
from heedful.errors import ShapeError, UsageError


@final
class ContentBiased(Score):
    """Scaled dot plus a learnable global vector v (h, e) against an embedding S of the keys, the same for every query.

    S = K W_s by default, which equals (q + u) · k. With `vocabulary`, S = E[ids] embeds the tokens themselves, whatever
    the keys have become: `score.at(ids)` (ids (b, k)) is the same score for those tokens.

    >>> import torch
    >>> ContentBiased(d=4, heads=2)(torch.ones(1, 2, 3, 4), torch.ones(1, 1, 5, 4), scale=0.5).shape
    torch.Size([1, 2, 3, 5])
    """

    name = "content_biased"
    is_dot = True
    adds_bias = True
    ids: Int[Tensor, "b k"] | None = None

    def __init__(self, d: int, heads: int, width: int | None = None, *, vocabulary: int | None = None, shared: bool = False) -> None:
        super().__init__()
        width = width or d
        self.heads, self.d = heads, d
        self.v = nn.Parameter(torch.randn(1 if shared else heads, width) * width**-0.5)
        rows = vocabulary or d
        self.embedding = nn.Parameter(torch.randn(rows, width) * (1.0 if vocabulary else d**-0.5))
        self.of_tokens = vocabulary is not None

    def default_scale(self, d: int) -> float:
        """1 / √d."""
        return 1.0 / math.sqrt(d)

    def at(self, ids: Int[Tensor, "b k"]) -> ContentBiased:
        """The same score, sharing its parameters, for keys that stand for the tokens `ids` (b, k)."""
        if not self.of_tokens:
            raise UsageError("at(ids) embeds tokens: this ContentBiased embeds keys; ContentBiased(..., vocabulary=V) would work")
        bound = copy.copy(self)
        bound.ids = ids
        return bound

    def key_bias(self, k: Float[Tensor, "b g k d"]) -> Float[Tensor, "b h 1 k"]:
        """v · S_j for every head and key."""
        v = self.v.to(k.dtype).expand(self.heads, -1)
        table = self.embedding.to(k.dtype)
        if not self.of_tokens:
            directions = rearrange(einsum(v, table, "h e, d e -> h d"), "(g r) d -> g r d", g=k.shape[1])
            return rearrange(einsum(k, directions, "b g k d, g r d -> b g r k"), "b g r k -> b (g r) 1 k")
        if self.ids is None:
            raise UsageError("ContentBiased(vocabulary=...) embeds the tokens of the keys: score.at(ids), ids (b, k), would work")
        if self.ids.shape[-1] != k.shape[2]:
            raise ShapeError(f"ContentBiased.at(ids) was given {self.ids.shape[-1]} tokens: found {k.shape[2]} keys")
        return rearrange(einsum(v, table[self.ids], "h e, b k e -> b h k"), "b h k -> b h 1 k")

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        check_heads(self, q, self.heads)
        return dot(q, k) * scale + self.key_bias(k)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """The dot product and a bias for each key."""
        check_heads(self, q, self.heads)
        return AsDot(q, k, self.key_bias(k))
