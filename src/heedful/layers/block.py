"""A transformer block: attention, and a feed-forward layer, each beside the stream (Vaswani et al. 2017, arXiv 1706.03762, §3.1).

Norms stand before each branch (Xiong et al. 2020, arXiv 2002.04745) or, with `post_norm`, after each sum as first published.
"""

from __future__ import annotations

from typing import Literal, final, overload

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.masks.mask import Mask
from heedful.attention.mechanism import Shape, create
from heedful.errors import Unsupported, UsageError
from heedful.layers.adapters.bottleneck import Bottleneck
from heedful.layers.cache.block import BlockCache
from heedful.layers.cache.cache import Past
from heedful.layers.cache.context import ContextCache
from heedful.layers.gates.gate import Gate, SelfGate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.table import GATES
from heedful.layers.lookahead import looks_back
from heedful.layers.mlp import GELU, SwiGLU, mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm as normed
from heedful.layers.trace import Trace

Traces = tuple[Trace, ...]


@final
class TransformerBlock(nn.Module):
    """x (b, t, m) -> x + gate(attention(norm x)), then + cross(norm x, context), then + feed(norm x).

    >>> import torch
    >>> block = TransformerBlock(MultiHeadAttention(32, 4, mask="causal", position="rope"), "swiglu", gate="se")
    >>> x = torch.randn(2, 6, 32)
    >>> block(x).shape
    torch.Size([2, 6, 32])
    >>> cache = block.new_cache()
    >>> with torch.no_grad():
    ...     steps = torch.cat([block(x[:, t : t + 1], cache=cache) for t in range(6)], dim=1)
    >>> torch.allclose(steps, block(x), atol=1e-5)
    True

    Arguments:
        attention: the self-attention; its width is the block's.
        feed: "gelu", "swiglu", or any module (b, t, m) -> (b, t, m).
        cross: an attention to a context, for decoders.
        gate: on the attention's branch: an instance or a name of the catalogue, causal where the attention is.
            `LayerwiseAdaptiveAttention` works on the stream before, its a_l scales the branch, and in evaluation the
            block is left out for tokens whose a_l is under its threshold.
        norm: "rms" or "layer", which has a bias unless `norm_bias` is False. post_norm: norms after the sums.
        dropout: on each branch, in training.
        max_length: the longest stream, for gates that hold a weight a place.
    """

    def __init__(
        self,
        attention: MultiHeadAttention,
        feed: nn.Module | str = "gelu",
        *,
        cross: MultiHeadAttention | None = None,
        gate: Gate | str | None = None,
        norm: str = "rms",
        norm_bias: bool = True,
        post_norm: bool = False,
        dropout: float = 0.0,
        max_length: int = 512,
    ) -> None:
        super().__init__()
        dim = attention.widths.dim
        self.attention, self.cross, self.post_norm = attention, cross, post_norm
        self.feed = mlp(feed, dim) if isinstance(feed, str) else feed
        self.gate = gate_for(gate, attention, max_length) if isinstance(gate, str) else gate
        check_gate(self.gate, attention)
        self.attention_norm, self.feed_norm = normed(norm, dim, norm_bias), normed(norm, dim, norm_bias)
        self.cross_norm = None if cross is None else normed(norm, dim, norm_bias)
        self.dropout = nn.Dropout(dropout) if dropout else None
        self.adapter: Bottleneck | None = None  # behind the feed-forward part

    @overload
    def forward(
        self,
        x: Tensor,
        context: Tensor | None = ...,
        *,
        mask: Mask | Tensor | None = ...,
        context_mask: Mask | Tensor | None = ...,
        real: Tensor | None = ...,
        past: Tensor | None = ...,
        cache: BlockCache | None = ...,
        trace: Literal[False] = ...,
    ) -> Tensor: ...
    @overload
    def forward(
        self,
        x: Tensor,
        context: Tensor | None = ...,
        *,
        mask: Mask | Tensor | None = ...,
        context_mask: Mask | Tensor | None = ...,
        real: Tensor | None = ...,
        past: Tensor | None = ...,
        cache: BlockCache | None = ...,
        trace: Literal[True],
    ) -> tuple[Tensor, Traces]: ...
    def forward(
        self,
        x: Float[Tensor, "b t m"],
        context: Float[Tensor, "b k n"] | None = None,
        *,
        mask: Mask | Bool[Tensor, "..."] | None = None,
        context_mask: Mask | Bool[Tensor, "..."] | None = None,
        real: Bool[Tensor, "b t"] | None = None,
        past: Float[Tensor, "b p m"] | None = None,
        cache: BlockCache | None = None,
        trace: bool = False,
    ) -> Float[Tensor, "b t m"] | tuple[Float[Tensor, "b t m"], Traces]:
        """The stream one block on, and with `trace` the weights of self- and cross-attention.

        Arguments:
            mask, context_mask: for self- and cross-attention. real: which tokens of x are not padding, for the gate.
            past: the stream that entered this block before x, which attention reads too (Dai et al. 2019, arXiv 1901.02860).
            cache: what earlier steps left (`new_cache()`); x is then what comes next.
        """
        before = x
        x, share = self.opened(x, past, real, cache)
        seen = None if past is None else self.inner(torch.cat([past, x], dim=1), self.attention_norm)
        keys, stream = None if cache is None else cache.keys, x if self.direct and self.gate is None else None
        y, own = read(self.attention, self.inner(x, self.attention_norm), seen, mask, keys, trace, stream)
        if stream is None:
            y = self.outer(x, share * y if share is not None else self.gated(y, real, cache), self.attention_norm)
        x = y
        theirs: Traces = ()
        if self.cross is not None and self.cross_norm is not None:
            held = None if cache is None else cache.context
            y, theirs = read(self.cross, self.inner(x, self.cross_norm), context, context_mask, held, trace)
            x = self.outer(x, y, self.cross_norm)
        x = self.passed_by(before, x, real)
        if cache is not None:
            cache.length += x.shape[1]
        return (x, own + theirs) if trace else x

    @property
    def direct(self) -> bool:
        """Whether a branch may add itself to the stream: in training, where nothing stands between; hooks in evaluation see it alone."""
        return self.training and self.dropout is None and not self.post_norm

    def fed(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t m"]:
        """The stream with the feed-forward branch in it."""
        read = self.inner(x, self.feed_norm)
        if self.adapter is not None:
            return self.outer(x, self.adapter(self.feed(read)), self.feed_norm)
        if self.direct and isinstance(self.feed, GELU | SwiGLU):
            joined: Tensor = self.feed(read, x)
            return joined
        return self.outer(x, self.feed(read), self.feed_norm)

    def inner(self, x: Float[Tensor, "b t m"], norm: nn.Module) -> Float[Tensor, "b t m"]:
        """What a branch reads."""
        read: Tensor = x if self.post_norm else norm(x)
        return read

    def outer(self, x: Float[Tensor, "b t m"], y: Float[Tensor, "b t m"], norm: nn.Module) -> Float[Tensor, "b t m"]:
        """The stream with a branch in it."""
        y = x + (y if self.dropout is None else self.dropout(y))
        joined: Tensor = norm(y) if self.post_norm else y
        return joined

    def opened(self, x: Tensor, past: Tensor | None, real: Tensor | None, cache: BlockCache | None) -> tuple[Tensor, Tensor | None]:
        """Under an adaptive gate: the gated stream, and a_l (b, t, 1), the share that its attention gets."""
        if not isinstance(self.gate, LayerwiseAdaptiveAttention):
            return x, None
        if past is not None:
            raise Unsupported("past= is the stream before an adaptive gate, whose places count from its own start: another gate would work")
        return self.through(self.gate, x, real, cache), self.gate.gate(x, mask=real)

    def gated(self, y: Float[Tensor, "b t m"], real: Tensor | None, cache: BlockCache | None) -> Float[Tensor, "b t m"]:
        """The attention's branch under the gate."""
        return y if self.gate is None else self.through(self.gate, y, real, cache)

    def through(self, gate: Gate, x: Tensor, real: Tensor | None, cache: BlockCache | None) -> Tensor:
        """Features through the gate, going on from its state in a cache."""
        if cache is None:
            gated: Tensor = gate(x, mask=real)
            return gated
        gated, cache.gate = gate.step(x, cache.gate, mask=real)
        return gated

    def passed_by(self, before: Tensor, x: Tensor, real: Tensor | None) -> Tensor:
        """The block's end: in evaluation, tokens on which an adaptive gate does not spend enough pass it by, and are not fed."""
        gate = self.gate
        if not isinstance(gate, LayerwiseAdaptiveAttention) or self.training or gate.threshold == 0.0:
            return self.fed(x)
        keeps = gate.keeps(before, mask=real)
        if torch.compiler.is_compiling():  # how many are kept is not known there
            return torch.where(keeps.unsqueeze(-1), self.fed(x), before)
        if not bool(keeps.any()):
            return before
        after = before.clone()
        after[keeps] = self.fed(x[keeps][None])[0]
        return after

    def new_cache(self, window: int | None = None, sinks: int = 0) -> BlockCache:
        """An empty cache for steps: of all keys, or of the latest `window` and the first `sinks`."""
        pools = isinstance(self.gate, SelfGate) and self.gate.pools
        return BlockCache(self.attention.new_cache(window, sinks), pools=pools)


def read(
    attention: MultiHeadAttention,
    x: Tensor,
    context: Tensor | None,
    mask: Mask | Tensor | None,
    cache: Past | ContextCache | None,
    trace: bool,
    stream: Tensor | None = None,
) -> tuple[Tensor, Traces]:
    """What an attention layer reads for x, added to the stream if there is one, and how it reads, if that is wanted."""
    if trace:
        out, seen = attention(x, context, mask=mask, cache=cache, stream=stream, trace=True)
        return out, (seen,)
    return attention(x, context, mask=mask, cache=cache, stream=stream), ()


def check_gate(gate: Gate | None, attention: MultiHeadAttention) -> None:
    """A gate that reads the whole stream would show a causal block its future."""
    if isinstance(gate, SelfGate) and gate.pools and not gate.causal and looks_back(attention.mask):
        kind = type(gate).__name__
        raise UsageError(f"this block is causal, and {kind}(causal=False) reads the whole stream: {kind}(causal=True) would work")


def gate_for(name: str, attention: MultiHeadAttention, max_length: int) -> Gate | None:
    """The gate called `name` ("none": no gate), as wide as the attention and causal where it is."""
    if name == "none":
        return None
    shape = Shape(heads=1, kv_heads=1, d=attention.widths.dim, q=max_length, k=max_length)
    return create("gate", GATES, name, shape, {"causal": looks_back(attention.mask)})
