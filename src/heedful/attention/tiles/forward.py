"""Attention forward by tiles: a running maximum, a running sum and a running output for each query.

Online softmax: Milakov & Gimelshein 2018, arXiv 1805.02867; in tiles: Dao et al. 2022, arXiv 2205.14135, algorithm 1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.tiles.exponential import exponential_
from heedful.attention.tiles.operands import Operands
from heedful.attention.tiles.plans import planned
from heedful.attention.tiles.slabs import Rectangle, Slab
from heedful.attention.tiles.sweep import Sweep
from heedful.attention.tiles.work import Found, Wanted, Work


class Running(NamedTuple):
    """What a slab knows of its rows so far, and the exponentials of the last rectangle."""

    top: Float[Tensor, "b h n 1"]
    total: Float[Tensor, "b h n 1"]
    mixed: Float[Tensor, "b h n v"]
    exponentials: Float[Tensor, "b h n m"]


def forward(work: Work, wanted: Wanted) -> Found:
    """The output, its log-sum-exp, and whatever else is wanted of the weights."""
    b, h, q_len, _ = work.sizes
    wide = torch.promote_types(work.q.dtype, torch.float32)
    found = Found(work.q.new_zeros(b, h, q_len, work.v.shape[3]), work.q.new_full((b, h, q_len), float("-inf"), dtype=wide))
    plan, sweep = planned(work), Sweep(work, wanted, found) if wanted.beyond_lse else None
    for share in plan.shares:
        operands = Operands(work, plan, share)
        for slab in share.slabs:
            _slab(operands, slab, found, sweep)
    if sweep is not None:
        sweep.finish()
    return found


def _slab(operands: Operands, slab: Slab, found: Found, sweep: Sweep | None) -> None:
    """One slab of queries against all its keys."""
    queries = operands.queries(slab)
    running = None
    for rectangle in slab.rectangles:
        running = _step(operands, slab, rectangle, queries, running)
    if running is None:
        return
    empty = running.total == 0
    lse, share = _normalised(operands, running.top, running.total.masked_fill_(empty, 1.0))
    lse.masked_fill_(empty, float("-inf"))
    at = operands.b, operands.h, slice(slab.start, slab.stop)
    found.lse[at] = lse.squeeze(-1)
    found.out[at] = running.mixed.mul_(share)
    if sweep is not None:
        sweep.slab(operands, slab, queries, lse, running.exponentials.mul_(share) if len(slab.rectangles) == 1 else None)


def _step(operands: Operands, slab: Slab, rectangle: Rectangle, queries: Float[Tensor, "b h n d"], before: Running | None) -> Running:
    """One more rectangle: what was found before shrinks as the maximum grows."""
    scores, _ = operands.scores(slab, rectangle, queries)
    top = scores.amax(-1, keepdim=True)
    if before is None:
        top.masked_fill_(top == float("-inf"), 0.0)
    else:
        torch.maximum(top, before.top, out=top)
    total = exponential_(scores.sub_(top)).sum(-1, keepdim=True)
    mixed = operands.take("mixed", *queries.shape[:3], operands.v.shape[2]) if before is None else before.mixed
    if before is not None:
        decay = before.top.sub_(top).exp_()
        total.addcmul_(before.total, decay)
        mixed.mul_(decay)
    _mix(operands, slab, rectangle, scores, mixed, add=before is not None)
    return Running(top, total, mixed, scores)


def _mix(
    operands: Operands, slab: Slab, rectangle: Rectangle, weights: Float[Tensor, "b h n m"], mixed: Float[Tensor, "b h n v"], add: bool
) -> None:
    """The values so weighted, after dropout, into `mixed`."""
    used = operands.used(slab, rectangle, weights)[0]
    values, into = operands.columns("values", operands.v, rectangle), operands.grouped(mixed)
    if add:
        into.baddbmm_(operands.grouped(used), values)
    else:
        torch.bmm(operands.grouped(used), values, out=into)


def _normalised(operands: Operands, top: Tensor, total: Tensor) -> tuple[Float[Tensor, "b h n 1"], Float[Tensor, "b h n 1"]]:
    """The log-sum-exp, and what the exponentials are multiplied by to be weights; the sink's term is in the sum."""
    if operands.work.sink_logits is None:
        return total.log().add_(top), total.reciprocal()
    sink = operands.work.sink_logits.to(total.dtype)[operands.h, None, None]
    peak = torch.maximum(top, sink)
    shrunk = top.sub(peak).exp_()
    every = total.mul_(shrunk).add_((sink - peak).exp_())
    return every.log().add_(peak), shrunk.div_(every)
