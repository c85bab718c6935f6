"""Attention backward by tiles: the weights are computed again from the log-sum-exp (Dao et al. 2022, arXiv 2205.14135, algorithm 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.tiles.diagonals import gathered
from heedful.attention.tiles.exponential import exponential_
from heedful.attention.tiles.operands import Operands
from heedful.attention.tiles.plans import planned
from heedful.attention.tiles.slabs import Rectangle, Slab
from heedful.attention.tiles.work import Given, Gradients, Work


def backward(work: Work, given: Given) -> Gradients:
    """The gradients of the tensors that `given` needs, summed in the type that is computed in."""
    sums = _zeros(work, given)
    plan = planned(work)
    for share in plan.shares:
        operands = Operands(work, plan, share)
        for slab in share.slabs:
            if slab.rectangles:
                _slab(operands, slab, given, sums)
    return _rounded(work, sums)


def _zeros(work: Work, given: Given) -> Gradients:
    """Where the gradients are summed; those of q, k and v always."""

    def new(name: str, like: Tensor | float | None) -> Tensor | None:
        wanted = isinstance(like, Tensor) and (name in "qkv" or name in given.needs)
        return given.lse.new_zeros(like.shape) if wanted and isinstance(like, Tensor) else None

    return Gradients(
        q=torch.zeros(work.q.shape, dtype=work.q.dtype, device=work.q.device),
        k=new("k", work.k),
        v=new("v", work.v),
        factor=new("factor", work.factor),
        bias=new("bias", work.bias),
        relative=new("relative", work.relative),
        sink_logits=new("sink_logits", work.sink_logits),
    )


def _rounded(work: Work, sums: Gradients) -> Gradients:
    """The sums in the types of what they are the gradients of."""

    def like(total: Tensor | None, tensor: Tensor | float | None) -> Tensor | None:
        return total.to(tensor.dtype) if total is not None and isinstance(tensor, Tensor) else None

    return Gradients(
        q=sums.q,
        k=like(sums.k, work.k),
        v=like(sums.v, work.v),
        factor=like(sums.factor, work.factor),
        bias=like(sums.bias, work.bias),
        relative=like(sums.relative, work.relative),
        sink_logits=like(sums.sink_logits, work.sink_logits),
    )


@dataclass(slots=True)
class Rows:
    """What the gradients of a slab are made of: one value, or one row, for each query."""

    queries: Float[Tensor, "b h n d"]
    d_queries: Float[Tensor, "b h n d"]
    d_out: Float[Tensor, "b h n v"]
    lse: Float[Tensor, "b h n 1"]
    less: Float[Tensor, "b h n 1"]  # what is taken from the gradient of each weight: Σ w d_w - d_lse


def _slab(operands: Operands, slab: Slab, given: Given, sums: Gradients) -> None:
    """One slab of queries against all its keys."""
    rows = _rows(operands, slab, given)
    for rectangle in slab.rectangles:
        _rectangle(operands, slab, rectangle, rows, sums)
    at = operands.b, operands.h, slice(slab.start, slab.stop)
    assert sums.q is not None
    if sums.factor is not None:
        sums.factor[operands.h] += (rows.d_queries * operands.q[:, :, slab.start : slab.stop]).sum((0, 2, 3))
    if sums.sink_logits is not None and operands.work.sink_logits is not None:
        sink = operands.work.sink_logits.to(operands.wide)[operands.h, None, None]
        sums.sink_logits[operands.h] -= (rows.less * (sink - rows.lse).exp_()).sum((0, 2, 3))
    sums.q[at] = rows.d_queries.mul_(operands.factor)


def _rows(operands: Operands, slab: Slab, given: Given) -> Rows:
    queries = operands.queries(slab)
    d_out = operands.rows("d_out", given.d_out, slab)
    less = operands.rows("out", given.out, slab).mul_(d_out).sum(-1, keepdim=True)
    if given.d_lse is not None:
        less.sub_(operands.rows("d_lse", given.d_lse.unsqueeze(-1), slab))
    lse = operands.rows("lse", given.lse.unsqueeze(-1), slab)
    lse.masked_fill_(lse == float("-inf"), float("inf"))  # a row with nothing: every weight is exp(-inf)
    return Rows(queries, operands.take("d_queries", *queries.shape).zero_(), d_out, lse, less)


def _rectangle(operands: Operands, slab: Slab, rectangle: Rectangle, rows: Rows, sums: Gradients) -> None:
    """One tile: weights, gradient of the weights, of the scores, and what follows from those."""
    scores, slope = operands.scores(slab, rectangle, rows.queries, slopes=True)
    weights = exponential_(scores.sub_(rows.lse))
    d_scores = operands.take("d_scores", *weights.shape)
    d_out = operands.grouped(rows.d_out)
    torch.bmm(d_out, operands.columns("values", operands.v, rectangle).mT, out=operands.grouped(d_scores))
    used, keep = operands.used(slab, rectangle, weights)
    if keep is not None:
        d_scores.mul_(keep)
    _add(operands, rectangle, sums.v, operands.grouped(used), d_out)
    d_scores.sub_(rows.less).mul_(weights)
    if sums.bias is not None:
        _add_bias(operands, slab, rectangle, sums.bias, d_scores)
    if sums.relative is not None:
        by_head = sums.relative[operands.h] if sums.relative.shape[0] > 1 else sums.relative
        gathered(by_head, d_scores if len(by_head) > 1 else d_scores.sum(1, keepdim=True), slab, rectangle, operands.work.sizes[2])
    if slope is not None:
        d_scores.mul_(slope)
    flat = operands.grouped(d_scores)
    operands.grouped(rows.d_queries).baddbmm_(flat, operands.columns("keys", operands.k, rectangle))
    _add(operands, rectangle, sums.k, flat, operands.grouped(rows.queries))


def _add(
    operands: Operands, rectangle: Rectangle, total: Tensor | None, left: Float[Tensor, "bg n m"], right: Float[Tensor, "bg n e"]
) -> None:
    """leftᵀ right into the rectangle's rows of a gradient of k or v."""
    assert total is not None
    into = total[operands.b, operands.g].flatten(0, 1)
    if rectangle.index is None:
        into[:, rectangle.start : rectangle.stop].baddbmm_(left.mT, right)
    else:
        into.index_add_(1, rectangle.index, torch.bmm(left.mT, right))


def _add_bias(operands: Operands, slab: Slab, rectangle: Rectangle, total: Tensor, tile: Float[Tensor, "b h n m"]) -> None:
    """The tile, summed over the axes that the bias does not have, into its place."""
    sizes = [full if size > 1 else 1 for full, size in zip(tile.shape, total.shape, strict=True)]
    part = tile.sum_to_size(sizes)
    if rectangle.index is None or total.shape[3] == 1:
        operands.tile(total, slab, rectangle).add_(part)
    else:
        b, h = operands.b if total.shape[0] > 1 else slice(None), operands.h if total.shape[1] > 1 else slice(None)
        total[b, h, slice(slab.start, slab.stop) if total.shape[2] > 1 else slice(None)].index_add_(3, rectangle.index, part)
