"""Several texts packed into one sequence, each attending to itself: no pair of two texts is computed, and nothing is padded.

The mask is `Documents(ids)`, alone or with rules of distance (causal, window). On CUDA one call of torch's `varlen_attn`; elsewhere,
and for what that kernel does not know, one call a text. (Krell et al. 2021, arXiv 2107.02027.)

The CUDA path is written from torch's documentation and is still to be run on such a device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn

from heedful.attention.backends import naive, sdpa, tiled
from heedful.attention.backends.backend import Backend
from heedful.attention.backends.packed import Lengths, lengths_of, packed_in
from heedful.attention.backends.quickest import quickest
from heedful.attention.call import Call, Result
from heedful.attention.masks import mask
from heedful.attention.masks.algebra import And
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window

# What may serve one text.
INNER = (
    Backend("sdpa", sdpa.why_not, sdpa.run, "torch's fused kernel"),
    Backend("tiled", tiled.why_not, tiled.run, "by tiles"),
    Backend("naive", naive.why_not, naive.run, "as written"),
)
KERNEL_TYPES = (torch.float16, torch.bfloat16)
KERNEL_WIDTH = 256


def why_not(call: Call) -> str | None:
    """Documents that each stand in one piece, scores of a pair alone, the output alone."""
    packed = packed_in(call.mask)
    if packed is None:
        return "it serves Documents(ids), alone or & rules of distance such as Causal() and Window(n)"
    if call.weights is not None or call.summaries:
        return "texts one by one give no weights and no summaries of the whole"
    if not call.score.pairwise:
        return f"the score {call.score.name} looks at places in the whole sequence"
    if call.dropout and call.seed is not None:
        return "its dropout cannot be drawn from a given seed"
    if call.q.shape[2] != call.k.shape[2]:
        return f"it serves as many queries as keys: there are {call.q.shape[2]} and {call.k.shape[2]}"
    if torch.compiler.is_compiling():
        return "where the documents end is data, which a traced graph cannot depend on"
    return None if lengths_of(packed.documents.ids) is not None else "a document stands in several pieces"


def run(call: Call) -> Result:
    """One kernel over all texts where there is one, else a call a text."""
    packed = packed_in(call.mask)
    assert packed is not None
    packed.documents.fits(mask.Lengths(call.q.shape[2], call.k.shape[2]))
    lengths = lengths_of(packed.documents.ids)
    assert lengths is not None
    rows = lengths * call.q.shape[0] if len(lengths) == 1 else lengths
    span = kernel_window(call, packed.within)
    return Result(one_by_one(call, packed.within, rows) if span is None else together(call, span, rows))


def one_by_one(call: Call, within: Mask | None, rows: Lengths) -> Float[Tensor, "b h n v"]:
    """A call for each text; cut with `split`, whose gradient is one copy however many texts there are."""
    outs = [torch.cat([served(text) for text in texts(call, within, b, row)], dim=2) for b, row in enumerate(rows) if row]
    return outs[0] if len(outs) == 1 else torch.cat(outs) if outs else call.v.new_zeros(*call.q.shape[:3], call.v.shape[3])


def texts(call: Call, within: Mask | None, b: int, lengths: list[int]) -> Iterator[Call]:
    """The texts of row b as calls of their own; positions stay those in the whole sequence."""
    at, _ = call.places()
    q, k = (call.q, call.k) if call.position is None else (call.position.rotate(call.q, at), call.position.rotate(call.k, at))
    starts = accumulate(lengths, initial=0)
    cut = [x[b : b + 1].split_with_sizes(lengths, dim=2) for x in (q, k, call.v)]
    for start, n, text_q, text_k, text_v in zip(starts, lengths, *cut, strict=False):
        own = None if call.bias is None else square(call.bias, b, start, start + n)
        place = None if call.position is None else call.position.bias(q.shape[1], at[start : start + n], at[start : start + n])
        bias = own if place is None else place if own is None else own + place
        yield replace(call, q=text_q, k=text_k, v=text_v, mask=within, bias=bias, position=None)


def square(bias: Float[Tensor, "..."], b: int, start: int, stop: int) -> Float[Tensor, "..."]:
    """The part of a bias that one text of one row needs; axes of size 1 stay."""
    if bias.ndim == 4 and bias.shape[0] > 1:
        bias = bias[b : b + 1]
    if bias.ndim >= 2 and bias.shape[-2] > 1:
        bias = bias[..., start:stop, :]
    return bias[..., start:stop] if bias.ndim and bias.shape[-1] > 1 else bias


def served(call: Call) -> Float[Tensor, "1 h n v"]:
    """One text by the quickest that can."""
    return quickest(call, [row for row in INNER if row.why_not(call) is None]).run(call).out


def kernel_window(call: Call, within: Mask | None) -> tuple[int, int] | None:
    """How far torch's CUDA kernel looks back and ahead for this call (-1: without end); None where it cannot serve it."""
    plain = sdpa.why_not(call) is None and call.bias is None and not (call.position is not None and call.position.adds_bias)
    width = call.q.shape[-1]
    fits = call.q.is_cuda and call.q.dtype in KERNEL_TYPES and width == call.v.shape[-1] and width % 8 == 0 and width <= KERNEL_WIDTH
    return span(within) if plain and fits and not call.dropout else None


def span(within: Mask | None) -> tuple[int, int] | None:
    """Causal rules and windows as keys behind and ahead; None for any other rule."""
    if within is None:
        return -1, -1
    behind, ahead = -1, -1
    for part in within.parts if isinstance(within, And) else (within,):
        if isinstance(part, Causal):
            ahead = 0
        elif isinstance(part, Window):
            behind = part.size - 1 if behind < 0 else min(behind, part.size - 1)
            ahead = part.ahead if ahead < 0 else min(ahead, part.ahead)
        else:
            return None
    return behind, ahead


def together(call: Call, window: tuple[int, int], rows: Lengths) -> Float[Tensor, "b h n v"]:
    """All texts of all rows in one call of torch's kernel."""
    at, _ = call.places()
    q, k = (call.q, call.k) if call.position is None else (call.position.rotate(call.q, at), call.position.rotate(call.k, at))
    dots = call.score.as_dot(q, k)
    assert dots is not None
    factor = call.factor()
    query, scale = (dots.q * factor.to(dots.q.dtype), 1.0) if isinstance(factor, Tensor) else (dots.q, factor)
    lengths = [n for row in rows for n in row]
    ends = torch.tensor(list(accumulate(lengths, initial=0)), dtype=torch.int32, device=q.device)
    longest = max(lengths)
    out = varlen_attn(
        flat(query),
        flat(dots.k),
        flat(call.v),
        ends,
        ends,
        longest,
        longest,
        scale=scale,
        window_size=window,
        enable_gqa=query.shape[1] != dots.k.shape[1],
    )
    assert isinstance(out, Tensor)
    return rearrange(out, "(b n) h v -> b h n v", b=q.shape[0])


def flat(x: Float[Tensor, "b h n d"]) -> Float[Tensor, "t h d"]:
    """The rows of a batch behind each other."""
    return rearrange(x, "b h n d -> (b n) h d")
