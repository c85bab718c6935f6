"""The engine forward."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Int32
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

from heedful.attention.native.fill import Filled, alike, filled
from heedful.attention.native.library import call, unavailable
from heedful.attention.select import Select
from heedful.attention.summary import TOPK, buckets
from heedful.attention.tiles.work import Found, Wanted, Work


def why_not(work: Work, wanted: Wanted) -> str | None:
    """It needs the CPU, numbers it knows, and a compiler to have been there once."""
    if work.q.device.type != "cpu":
        return f"it runs on the CPU, not on {work.q.device.type}"
    if wanted.weights is not None and wanted.weights.average and len(set(wanted.weights.heads or ())) < len(wanted.weights.heads or ()):
        return "a head is to be averaged twice"
    if work.q.dtype not in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        return f"it knows no {work.q.dtype}"
    if _get_current_dispatch_mode() is not None:
        return "something watches torch's operations (a counter, a tracer), and its own are none of them"
    return unavailable()


def forward(work: Work, wanted: Wanted) -> Found:
    """The output, its log-sum-exp, and whatever else is wanted of the weights."""
    f = filled(work)
    b, h, q_len, _ = work.sizes
    found = Found(alike(f.q, f.v.shape[3]), f.q.new_empty(b, h, q_len, dtype=f.real))
    f.put("out", found.out)
    f.problem.lse = found.lse.data_ptr()
    if not wanted.beyond_lse:
        call("heedful_forward", f.problem)
        return found
    sums = summaries(f, wanted.summaries, found)
    if wanted.weights is not None:
        chosen(f, wanted.weights, found)
    call("heedful_forward", f.problem)
    found.distance = None if sums["distance"] is None else sums["distance"].to(f.real)
    found.columns = None if sums["columns"] is None else sums["columns"].to(f.real)
    if wanted.weights is not None and found.weights is not None:
        found.weights = again(found.weights.to(f.q.dtype), wanted.weights, h, q_len)
    return found


def summaries(f: Filled, names: Sequence[str], found: Found) -> dict[str, Tensor | None]:
    """Places for the summaries that are wanted; those that are summed across blocks are summed in float64."""
    p, (b, h, q_len, k_len) = f.problem, (f.problem.b, f.problem.h, f.problem.q_len, f.problem.k_len)
    sums: dict[str, Tensor | None] = {"distance": None, "columns": None}
    if "entropy" in names:
        found.entropy = found.lse.new_empty(b, h, q_len)
        p.entropy = found.entropy.data_ptr()
    if "sinks" in names:
        found.sinks = found.lse.new_empty(b, h, q_len)
        p.sink_mass = found.sinks.data_ptr()
    if "topk" in names:
        p.top_n = min(TOPK, k_len)
        found.top_weights = found.lse.new_empty(b, h, q_len, p.top_n)
        found.top_keys = torch.empty(b, h, q_len, p.top_n, dtype=torch.int64)
        p.top, p.top_index = found.top_weights.data_ptr(), found.top_keys.data_ptr()
    if "distance" in names:
        p.buckets = buckets(max(q_len, k_len))
        sums["distance"] = masses = torch.zeros(b, h, p.buckets, dtype=torch.float64)
        p.distance = f.keep(masses)
    if "columns" in names:
        sums["columns"] = columns = torch.zeros(b, h, k_len, dtype=torch.float64)
        p.columns = f.keep(columns)
    return sums


def chosen(f: Filled, select: Select, found: Found) -> None:
    """A place for the chosen weights, each head and query once."""
    p = f.problem
    heads, queries = once(select.heads, p.h), once(select.queries, p.q_len)
    p.weight_heads, p.weight_rows = 1 if select.average else len(heads), len(queries)
    if select.average:  # heads add up, one after the other, in numbers that do not lose them
        p.weight_mean = len(heads)
        found.weights = torch.zeros(p.b, 1, len(queries), p.k_len, dtype=f.real)
    else:
        found.weights = f.q.new_empty(p.b, len(heads), len(queries), p.k_len)
    places = lines(heads, p.h)
    p.weights, p.weight_of, p.weight_at = (
        found.weights.data_ptr(),
        f.keep(places.clamp(max=0) if select.average else places),
        f.keep(lines(queries, p.q_len)),
    )


def once(indices: Sequence[int] | None, size: int) -> list[int]:
    """The chosen indices from the start, in order, each once."""
    return list(range(size)) if indices is None else sorted({index % size for index in indices})


def lines(indices: Sequence[int], size: int) -> Int32[Tensor, " n"]:
    """Of each of `size`, its place among the indices, or -1."""
    table = torch.full((size,), -1, dtype=torch.int32)
    table[list(indices)] = torch.arange(len(indices), dtype=torch.int32)
    return table


def again(weights: Tensor, select: Select, heads: int, queries: int) -> Tensor:
    """The chosen weights in the order, and as often, as they were chosen."""
    for axis, (wanted, size) in enumerate(((select.heads, heads), (select.queries, queries)), start=1):
        if wanted is not None and not (axis == 1 and select.average):
            order, held = [index % size for index in wanted], once(wanted, size)
            if order != held:
                weights = weights.index_select(axis, torch.tensor([held.index(index) for index in order]))
    return weights
