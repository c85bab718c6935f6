"""Work as two operators of torch, which `torch.compile` and `torch.export` keep whole in their graphs.

A mask travels as text and tensors; its schedule is made where the operator runs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.schedule.cache import schedule
from heedful.attention.select import Select
from heedful.attention.summary import TOPK, buckets
from heedful.attention.tiles.carried import carried, restored
from heedful.attention.tiles.engines import engine
from heedful.attention.tiles.exact import exact
from heedful.attention.tiles.function import LSE, gradients_of, tensors_of
from heedful.attention.tiles.work import TENSORS, Found, Given, Wanted, Work


def traced(work: Work, wanted: Wanted, mask: Mask | None, seed: int | None) -> Found:
    """What an engine will find, as one operator in the graph that is being traced."""
    _, h, q_len, k_len = work.sizes
    text, held = ("", []) if mask is None else carried(mask, q_len, k_len)
    drawn = None
    if work.dropout:
        drawn = torch.randint(1 << 31, (1,)) if seed is None else torch.tensor([seed])
    q, k, v, factor, bias, relative, sink_logits = tensors_of(work)
    scale, softcap = 1.0 if isinstance(work.factor, Tensor) else work.factor, work.softcap
    heads = None if wanted.weights is None else indices(wanted.weights.heads, h)
    queries = None if wanted.weights is None else indices(wanted.weights.queries, q_len)
    options = (drawn, held, text, scale, softcap, work.dropout, ",".join(wanted.summaries), heads, queries)
    parts = attention(q, k, v, factor, bias, relative, sink_logits, *options)
    got = Found(parts[0], parts[1], **dict(zip(wanted.fields, parts[2:], strict=True)))
    if got.weights is not None and wanted.weights is not None and wanted.weights.average:
        got.weights = got.weights.mean(1, keepdim=True)
    return got


def indices(chosen: Any, size: int) -> list[int]:
    """The chosen indices counted from the start; None means all."""
    return list(range(size)) if chosen is None else [at % size for at in chosen]


def want(summaries: str, heads: list[int] | None, queries: list[int] | None) -> Wanted:
    """What is wanted, from what the operator is given."""
    weights = None if heads is None or queries is None else Select(heads, queries)
    return Wanted(tuple(name for name in summaries.split(",") if name), weights)


def worked(tensors: tuple[Tensor | None, ...], held: list[Tensor], text: str, scale: float, softcap: float | None, dropout: float) -> Work:
    """The work, from what the operator is given; the seed is the last of the tensors."""
    q, k, v, factor, bias, relative, sink_logits, seed = tensors
    assert q is not None
    assert k is not None
    assert v is not None
    drawn = 0 if seed is None else int(seed)
    work = Work(q, k, v, scale if factor is None else factor, softcap, bias, relative, sink_logits, dropout, drawn)
    if text:
        work.schedule = schedule(restored(text, held), *work.sizes, q.device)
    return work


def plain(*tensors: Tensor | None) -> list[Tensor]:
    """The tensors that are there, contiguous whatever the engine: a graph is laid out before it runs."""
    return [x.contiguous() for x in tensors if x is not None]


@torch.library.custom_op("heedful::attention", mutates_args=())
def attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    factor: Tensor | None,
    bias: Tensor | None,
    relative: Tensor | None,
    sink_logits: Tensor | None,
    seed: Tensor | None,
    held: list[Tensor],
    text: str,
    scale: float,
    softcap: float | None,
    dropout: float,
    summaries: str,
    heads: list[int] | None,
    queries: list[int] | None,
) -> list[Tensor]:
    """The output, the log-sum-exp, and what else is wanted, in the order of `EXTRAS`."""
    wanted = want(summaries, heads, queries)
    work = worked((q, k, v, factor, bias, relative, sink_logits, seed), held, text, scale, softcap, dropout)
    with exact(q.device):
        found = engine(work, wanted).forward(work, wanted)
    return plain(found.out, found.lse, *found.extras(wanted))


@attention.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    factor: Any,
    bias: Any,
    relative: Any,
    sink_logits: Any,
    seed: Any,
    held: Any,
    text: str,
    scale: float,
    softcap: float | None,
    dropout: float,
    summaries: str,
    heads: list[int] | None,
    queries: list[int] | None,
) -> list[Tensor]:
    b, h, q_len, _ = q.shape
    k_len = k.shape[2]
    lse = q.new_empty(b, h, q_len, dtype=torch.promote_types(q.dtype, torch.float32))
    wanted = want(summaries, heads, queries)
    shapes: dict[str, tuple[int, ...]] = {"entropy": (b, h, q_len), "sinks": (b, h, q_len), "columns": (b, h, k_len)}
    if "topk" in wanted.summaries:
        shapes["top_weights"] = shapes["top_keys"] = (b, h, q_len, min(TOPK, k_len))
    if "distance" in wanted.summaries:
        shapes["distance"] = (b, h, buckets(max(q_len, k_len)))
    if heads is not None and queries is not None:
        shapes["weights"] = (b, len(heads), len(queries), k_len)
    types = {"top_keys": torch.int64, "weights": q.dtype}
    rest = [q.new_empty(shapes[name], dtype=types.get(name, lse.dtype)) for name in wanted.fields]
    return [q.new_empty(b, h, q_len, v.shape[3]), lse, *rest]


@torch.library.custom_op("heedful::attention_backward", mutates_args=())
def attention_backward(
    out: Tensor,
    lse: Tensor,
    d_out: Tensor,
    d_lse: Tensor | None,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    factor: Tensor | None,
    bias: Tensor | None,
    relative: Tensor | None,
    sink_logits: Tensor | None,
    seed: Tensor | None,
    held: list[Tensor],
    text: str,
    scale: float,
    softcap: float | None,
    dropout: float,
    needs: list[bool],
) -> list[Tensor]:
    """The gradients that are needed, in the order of `TENSORS`."""
    work = worked((q, k, v, factor, bias, relative, sink_logits, seed), held, text, scale, softcap, dropout)
    needed = tuple(name for name, need in zip(TENSORS, needs, strict=True) if need)
    with exact(q.device):
        gradients = engine(work, LSE).backward(work, Given(out, lse, d_out, d_lse, needed))
    return plain(*(x for x, need in zip(gradients_of(gradients), needs, strict=True) if need))


@attention_backward.register_fake
def _(
    out: Tensor,
    lse: Tensor,
    d_out: Tensor,
    d_lse: Any,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    factor: Tensor | None,
    bias: Tensor | None,
    relative: Tensor | None,
    sink_logits: Tensor | None,
    seed: Any,
    held: Any,
    text: str,
    scale: float,
    softcap: float | None,
    dropout: float,
    needs: list[bool],
) -> list[Tensor]:
    tensors = (q, k, v, factor, bias, relative, sink_logits)
    return [x.new_empty(x.shape) for x, need in zip(tensors, needs, strict=True) if need and x is not None]


def remember(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    """What backward needs of forward."""
    ctx.held, ctx.options = len(inputs[8]), inputs[9:13]
    ctx.save_for_backward(*inputs[:8], *inputs[8], output[0], output[1])


def differentiate(ctx: Any, gradients: list[Tensor | None]) -> tuple[Any, ...]:
    """The gradient of each input of the operator."""
    *given, out, lse = ctx.saved_tensors
    tensors, seed, held = given[:7], given[7], given[8:]
    needs = [bool(need) and x is not None for need, x in zip(ctx.needs_input_grad[:7], tensors, strict=True)]
    d_out = torch.zeros_like(out) if gradients[0] is None else gradients[0]
    found = iter(attention_backward(out, lse, d_out, gradients[1], *tensors, seed, held, *ctx.options, needs))
    return (*(next(found) if need else None for need in needs), None, [None] * ctx.held, *[None] * 7)


attention.register_autograd(differentiate, setup_context=remember)
