"""Exact attention by tiles, in memory that grows with the length: whatever is a dot product and a softmax."""

from __future__ import annotations

import torch

from heedful.attention.call import Call, Result
from heedful.attention.schedule.cache import schedule
from heedful.attention.summary import Summary
from heedful.attention.tiles import lower
from heedful.attention.tiles.function import found
from heedful.attention.tiles.operator import traced
from heedful.attention.tiles.work import Found, Wanted, Work


def why_not(call: Call) -> str | None:
    """What cannot be reduced to products and a softmax."""
    return lower.why_not(call)


def run(call: Call) -> Result:
    """The call as work for an engine, and what the engine found as a result."""
    work, wanted = lower.lowered(call), lower.wanted(call)
    got = traced(work, wanted, call.mask, call.seed) if torch.compiler.is_compiling() else now(work, wanted, call)
    return Result(call.score.finish(got.out, call.q), got.weights, summary(call, got) if call.summaries else None)


def now(work: Work, wanted: Wanted, call: Call) -> Found:
    """What an engine finds, with the schedule of the mask and the seed of the dropout."""
    if call.mask is not None:
        work.schedule = schedule(call.mask, *call.sizes, call.q.device)
    if call.dropout:
        work.seed = int(torch.randint(1 << 31, (1,))) if call.seed is None else call.seed
    return found(work, wanted)


def summary(call: Call, got: Found) -> Summary:
    """What was asked for of what was found."""
    top = (got.top_weights, got.top_keys) if got.top_weights is not None and got.top_keys is not None else None
    lse = got.lse if "lse" in call.summaries else None
    return Summary(got.entropy, got.distance, got.sinks, top, got.columns, lse)
