"""Multi-head attention as a layer: any score, mask, weighting and position of the catalogue.

Heads: Vaswani et al. 2017, arXiv 1706.03762, §3.2.2. Grouped heads: Ainslie et al. 2023, arXiv 2305.13245. Normed queries and
keys: Henry et al. 2020, arXiv 2010.04245. Learned memory in place of a context: Guo et al. 2021, arXiv 2105.02358 (the third
source article's softmax(W_a X Kᵀ)V).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, final, overload

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.scores.content_biased import ContentBiased
from heedful.attention.scores.score import Score
from heedful.attention.select import Select
from heedful.attention.weightings.weighting import Weighting
from heedful.errors import Unsupported
from heedful.layers import named, torch_state
from heedful.layers.attention import AttentionLayer, heads_of
from heedful.layers.cache.cache import Cache
from heedful.layers.cache.context import ContextCache
from heedful.layers.cache.full import KVCache
from heedful.layers.cache.window import WindowCache
from heedful.layers.check import check_call, check_memory
from heedful.layers.norm import RMSNorm
from heedful.layers.pending import Pending
from heedful.layers.projection import Projection
from heedful.layers.stepping import check_context, through
from heedful.layers.trace import Trace
from heedful.layers.widths import Widths


@final
class MultiHeadAttention(AttentionLayer):
    """x (b, q, m) attends to itself, or to a context (b, k, n), and comes out (b, q, m).

    >>> import torch, heedful
    >>> layer = MultiHeadAttention(64, 8, kv_heads=2, position="rope", mask="causal")
    >>> x = torch.randn(2, 10, 64)
    >>> layer(x).shape
    torch.Size([2, 10, 64])
    >>> out, trace = layer(x, trace=True)
    >>> trace.weights.shape
    torch.Size([2, 8, 10, 10])
    >>> from heedful.layers.cache import KVCache
    >>> cache = KVCache()
    >>> with torch.no_grad():
    ...     steps = torch.cat([layer(x[:, t : t + 1], cache=cache) for t in range(10)], dim=1)
    >>> torch.allclose(steps, layer(x), atol=1e-5)
    True

    Arguments:
        dim: width m of what comes in and goes out.
        heads: query heads h; they divide `dim` unless `head_dim` is given.
        kv_heads: key/value heads g, which divide `heads`; as many as heads unless given.
        head_dim: width d of one head; dim / heads unless given.
        context_dim, value_dim: widths that keys, and values, are read from; `dim`, and the context's, unless given.
        bias, out_bias: whether the projections have one; `out_bias` as `bias` unless given.
        score, mask, position, weighting: an instance, or a name of the catalogue, built for this layer's heads and widths.
        max_length: the longest sequence, for named mechanisms that hold a table over places or are sized by it.
        scale, softcap: as in `attend`.
        sinks: one learnable logit a head that takes weight from the keys.
        temperature: one learnable divisor of the scores a head, 1 at the start.
        qk_norm: an RMS norm on each head's queries and keys.
        dropout: the share of weights dropped in training.
        memory: that many learned keys and values in place of a context (0: none): time grows with length, not with its square.
        transposed: every second head scores K Qᵀ in place of Q Kᵀ (equal lengths only).
        backend: as in `attend`.

    Errors: `ShapeError` for sizes that do not fit, `UsageError` for unknown names, `Unsupported` for what a cache cannot serve.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        kv_heads: int | None = None,
        head_dim: int | None = None,
        context_dim: int | None = None,
        value_dim: int | None = None,
        bias: bool = True,
        out_bias: bool | None = None,
        score: Score | str = "scaled_dot",
        mask: Mask | Bool[Tensor, "..."] | str | None = None,
        position: Position | str | None = None,
        weighting: Weighting | str = "softmax",
        max_length: int = 512,
        scale: float | None = None,
        softcap: float | None = None,
        sinks: bool = False,
        temperature: bool = False,
        qk_norm: bool = False,
        dropout: float = 0.0,
        memory: int | None = None,
        transposed: bool = False,
        backend: str = "auto",
    ) -> None:
        widths = Widths.of(dim, heads, kv_heads, head_dim, context_dim, value_dim)
        super().__init__(widths, dropout)
        self.transposed, self.memory = transposed, memory or 0
        self.allot(bias, bias if out_bias is None else out_bias)
        shape = named.shape_of(widths, self.memory or max_length)
        self.score = named.score(score, shape)
        self.mask = named.mask(mask, shape) if isinstance(mask, str) else as_mask(mask)
        self.position = named.position(position, shape)
        self.weighting = named.weighting(weighting, shape)
        self.scale, self.softcap, self.backend = scale, softcap, backend
        self.sink_logits = nn.Parameter(torch.zeros(heads)) if sinks else None
        self.temperature = nn.Parameter(torch.ones(heads)) if temperature else None
        self.q_norm = RMSNorm(widths.head_dim) if qk_norm else None
        self.k_norm = RMSNorm(widths.head_dim) if qk_norm else None
        check_memory(self)

    def allot(self, bias: bool, out_bias: bool) -> None:
        """Make the parameters, with the start of torch's layer: Glorot's uniform weights, zero biases."""
        w = self.widths
        if self.memory:
            self.q_proj_weight = glorot(w.query, w.dim)
            self.memory_k, self.memory_v = glorot(self.memory, w.shared), glorot(self.memory, w.shared)
        elif w.packed:
            self.in_proj_weight = glorot(w.query + 2 * w.shared, w.dim)
        else:
            self.q_proj_weight = glorot(w.query, w.dim)
            self.k_proj_weight, self.v_proj_weight = glorot(w.shared, w.key_dim), glorot(w.shared, w.value_dim)
        rows = w.query if self.memory else w.query + 2 * w.shared
        self.in_proj_bias = nn.Parameter(torch.zeros(rows)) if bias else None
        self.out_proj = Projection(w.query, w.dim, bias=out_bias)
        if out_bias:
            nn.init.zeros_(self.out_proj.bias)

    @overload
    def forward(
        self,
        x: Tensor,
        context: Tensor | None = ...,
        *,
        values: Tensor | None = ...,
        mask: Mask | Tensor | None = ...,
        bias: Tensor | None = ...,
        ids: Tensor | None = ...,
        cache: Cache | ContextCache | None = ...,
        stream: Tensor | None = ...,
        trace: Literal[False] = ...,
    ) -> Tensor: ...
    @overload
    def forward(
        self,
        x: Tensor,
        context: Tensor | None = ...,
        *,
        values: Tensor | None = ...,
        mask: Mask | Tensor | None = ...,
        bias: Tensor | None = ...,
        ids: Tensor | None = ...,
        cache: Cache | ContextCache | None = ...,
        stream: Tensor | None = ...,
        trace: Literal[True] | Select,
    ) -> tuple[Tensor, Trace]: ...
    def forward(
        self,
        x: Float[Tensor, "b q m"],
        context: Float[Tensor, "b k n"] | None = None,
        *,
        values: Float[Tensor, "b k w"] | None = None,
        mask: Mask | Bool[Tensor, "..."] | None = None,
        bias: Float[Tensor, "..."] | None = None,
        ids: Int[Tensor, "b k"] | None = None,
        cache: Cache | ContextCache | None = None,
        stream: Float[Tensor, "b q m"] | None = None,
        trace: bool | Select = False,
    ) -> Float[Tensor, "b q m"] | tuple[Float[Tensor, "b q m"], Trace]:
        """What each place of x takes in, and with `trace` the weights (b, h, q, k) it took it with, or a `Select` of them.

        Arguments:
            context: what keys and values are read from; x itself unless given. `values`: what the values are read from.
            mask: ANDed with the layer's own; True means "may attend". bias: added to the scores.
            ids: the tokens (b, k) of the keys, for a content-biased score that embeds tokens.
            cache: what earlier steps left; x is then what comes next. A `ContextCache` keeps a fixed context's keys.
            stream: what the output is added to; the same as adding it to what comes out, and cheaper.
        """
        check_call(self, x, context, values, cache)
        q, k, v = self.heads_for(x, context, values, cache)
        given = as_mask(mask)
        both = joined(joined(self.mask, given), None if self.position is None else self.position.reach())
        call = Pending(q, k, v, self.score_of(ids), both, bias, self.position, stream)
        if isinstance(cache, Cache):
            through(cache, call, self.mask)
        out, weights = self.attended(call, trace)
        return out if weights is None else (out, Trace(weights))

    def heads_for(
        self, x: Tensor, context: Tensor | None, values: Tensor | None, cache: Cache | ContextCache | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values as `attend` takes them: normed, and swapped in every second head if transposed."""
        if isinstance(cache, ContextCache):
            return self.remembered(x, context, values, cache)
        if self.memory:
            q = heads_of(self.projected(x, 0, 1), self.widths.head_dim)
            k, v = (heads_of(slots.expand(len(x), -1, -1), self.widths.head_dim) for slots in (self.memory_k, self.memory_v))
        else:
            q, k, v = self.project(x, context, values)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        return (*swapped(q, k), v) if self.transposed else (q, k, v)

    def remembered(self, x: Tensor, context: Tensor | None, values: Tensor | None, cache: ContextCache) -> tuple[Tensor, Tensor, Tensor]:
        """Queries of x, with the context's keys and values, computed now or by an earlier step."""
        check_context(self.score, self.mask, self.position is not None)
        if not cache.filled and context is not None:
            k, v = self.project_context(context, values)
            cache.fill(k if self.k_norm is None else self.k_norm(k), v)
        q = heads_of(self.projected(x, 0, 1), self.widths.head_dim)
        return q if self.q_norm is None else self.q_norm(q), *cache.held()

    def score_of(self, ids: Tensor | None) -> Score:
        """The score, bound to the keys' tokens where they are given."""
        if ids is None:
            return self.score
        if not isinstance(self.score, ContentBiased):
            raise Unsupported(f"ids= are for the score content_biased(vocabulary=...): found {self.score.name}")
        return self.score.at(ids)

    def new_cache(self, window: int | None = None, sinks: int = 0) -> Cache | None:
        """An empty cache for steps, of all keys or of the latest `window` and the first `sinks`; None where there is none to keep."""
        if self.memory:
            return None
        return KVCache() if window is None else WindowCache(window, sinks)

    @classmethod
    def from_torch(cls, mha: nn.MultiheadAttention) -> MultiHeadAttention:
        """The same layer as torch's, batch first, with its own copy of the weights.

        >>> import torch
        >>> theirs = nn.MultiheadAttention(8, 2, batch_first=True)
        >>> x = torch.randn(1, 3, 8)
        >>> torch.allclose(MultiHeadAttention.from_torch(theirs)(x), theirs(x, x, x)[0], atol=1e-6)
        True
        """
        layer = cls(
            mha.embed_dim,
            mha.num_heads,
            context_dim=mha.kdim,
            value_dim=mha.vdim,
            bias=mha.in_proj_bias is not None,
            dropout=mha.dropout,
        )
        layer.zero_key = mha.add_zero_attn
        layer.to(mha.out_proj.weight).train(mha.training).load_torch_state(mha.state_dict())
        return layer

    def load_torch_state(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights of an `nn.MultiheadAttention.state_dict()`; `ShapeError` where they do not fit."""
        torch_state.load(self, state)

    def torch_state(self) -> dict[str, Tensor]:
        """What `nn.MultiheadAttention.load_state_dict` takes; `Unsupported` where torch's layer has no place for a parameter."""
        return torch_state.of(self)

    def extra_repr(self) -> str:
        """What tells it apart in a printed model."""
        w = self.widths
        heads = f"{w.heads} heads" if w.kv_heads == w.heads else f"{w.heads} heads over {w.kv_heads}"
        told = [f"{w.dim} wide", f"{heads} of {w.head_dim}", self.weighting.name, *([] if self.mask is None else [str(self.mask)])]
        return ", ".join(told)


def glorot(rows: int, columns: int) -> nn.Parameter:
    """A weight (rows, columns) with the uniform start of Glorot & Bengio 2010."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, columns)))


def joined(one: Mask | None, other: Mask | None) -> Mask | None:
    """Two rules as one, where there are two."""
    return other if one is None else one if other is None else one & other


def swapped(q: Float[Tensor, "b h t d"], k: Float[Tensor, "b h t d"]) -> tuple[Tensor, Tensor]:
    """Queries and keys, exchanged in heads 1, 3, 5 ...: those score K Qᵀ."""
    odd = (torch.arange(q.shape[1], device=q.device) % 2 == 1)[:, None, None]
    return torch.where(odd, k, q), torch.where(odd, q, k)
