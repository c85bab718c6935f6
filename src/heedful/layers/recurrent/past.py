"""A recurrent network that attends to its own earlier states (Cheng, Dong & Lapata 2016, arXiv 1601.06733, §3.1)."""

from __future__ import annotations

from typing import Literal, final, overload

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options
from heedful.attention.scores.score import Score
from heedful.errors import ShapeError
from heedful.layers import named
from heedful.layers.cache.cache import Cache
from heedful.layers.crossmodal import keys
from heedful.layers.pending import Pending
from heedful.layers.stepping import through
from heedful.layers.trace import Trace
from heedful.layers.widths import Widths


@final
class PastAttention(nn.Module):
    """States (b, t, n) read the states before them, never a later one: contexts (b, t, n), and with `trace` weights (b, 1, t, t).

    `strict` leaves a state's own place out, so that it reads what it does not hold already; the first then reads nothing
    and gets zeros. No projections: states are queries, keys and values as they are.

    >>> import torch
    >>> states = torch.randn(2, 4, 8)
    >>> context, trace = PastAttention(8)(states, trace=True)
    >>> context.shape, bool((context[:, 0] == 0).all()), torch.equal(trace.weights, trace.weights.tril(-1))
    (torch.Size([2, 4, 8]), True, True)

    Arguments:
        dim: the width n. strict: leave the own place out. window: how many states back it reads (None: all).
        score, position: an instance or a name of the catalogue. max_length: the longest sequence, for those with tables.
    """

    def __init__(
        self,
        dim: int,
        *,
        strict: bool = True,
        window: int | None = None,
        score: Score | str = "scaled_dot",
        position: Position | str | None = None,
        max_length: int = 512,
    ) -> None:
        super().__init__()
        shape = named.shape_of(Widths.of(dim, 1), max_length)
        self.dim = dim
        self.score, self.position = named.score(score, shape), named.position(position, shape)
        past: Mask = Causal() if window is None else Window(window + (1 if strict else 0))
        self.mask: Mask = past & ~Window(1) if strict else past

    @overload
    def forward(self, states: Tensor, *, real: Tensor | None = ..., cache: Cache | None = ..., trace: Literal[False] = ...) -> Tensor: ...
    @overload
    def forward(
        self, states: Tensor, *, real: Tensor | None = ..., cache: Cache | None = ..., trace: Literal[True]
    ) -> tuple[Tensor, Trace]: ...
    def forward(
        self, states: Float[Tensor, "b t n"], *, real: Bool[Tensor, "b k"] | None = None, cache: Cache | None = None, trace: bool = False
    ) -> Float[Tensor, "b t n"] | tuple[Float[Tensor, "b t n"], Trace]:
        """What each state reads; `real` says which of all states so far are not padding, `cache` holds those of earlier steps."""
        if states.dim() != 3 or states.shape[-1] != self.dim:
            raise ShapeError(f"this layer takes states (b, t, {self.dim}): found {tuple(states.shape)}")
        heads = rearrange(states, "b t n -> b 1 t n")
        real_keys = keys(real)
        call = Pending(heads, heads, heads, self.score, self.mask if real_keys is None else self.mask & real_keys, None, self.position)
        if cache is not None:
            through(cache, call, self.mask)
        options: Options = {"score": call.score, "mask": call.mask, "bias": call.bias, "position": call.position}
        if not trace:
            return rearrange(attend(call.q, call.k, call.v, **options), "b 1 t n -> b t n")
        out, weights = attend(call.q, call.k, call.v, return_weights=True, **options)
        return rearrange(out, "b 1 t n -> b t n"), Trace(weights, "past states")
