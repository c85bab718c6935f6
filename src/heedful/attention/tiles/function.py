"""Work in torch's graph of derivatives: forward by an engine, backward by recomputation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from heedful.attention.schedule.schedule import Schedule
from heedful.attention.summary import summarise
from heedful.attention.tiles.engines import engine
from heedful.attention.tiles.exact import exact
from heedful.attention.tiles.naive import mixed, weighed
from heedful.attention.tiles.work import TENSORS, Found, Given, Gradients, Wanted, Work

LSE = Wanted(("lse",))


def found(work: Work, wanted: Wanted) -> Found:
    """What an engine finds; all of it may be differentiated."""
    tensors = tensors_of(work)
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors):
        out, lse, *rest = Attention.apply(work, wanted, *tensors)  # type: ignore[no-untyped-call]
        return Found(out, lse, **dict(zip(wanted.fields, rest, strict=True)))
    with torch.no_grad(), exact(work.q.device):
        return engine(work, wanted).forward(work, wanted)


def tensors_of(work: Work) -> tuple[Tensor | None, ...]:
    """The tensors of `TENSORS`, in order."""
    factor = work.factor if isinstance(work.factor, Tensor) else None
    return work.q, work.k, work.v, factor, work.bias, work.relative, work.sink_logits


def gradients_of(gradients: Gradients) -> tuple[Tensor | None, ...]:
    """The gradients of `TENSORS`, in order."""
    return (
        gradients.q,
        gradients.k,
        gradients.v,
        gradients.factor,
        gradients.bias,
        gradients.relative,
        gradients.sink_logits,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """What of some work is no tensor."""

    scale: float
    softcap: float | None
    dropout: float
    seed: int
    schedule: Schedule | None

    def work(self, tensors: tuple[Tensor | None, ...]) -> Work:
        """The work with these tensors, those of `TENSORS`."""
        q, k, v, factor, bias, relative, sink_logits = tensors
        assert q is not None
        assert k is not None
        assert v is not None
        factor_ = self.scale if factor is None else factor
        return Work(q, k, v, factor_, self.softcap, bias, relative, sink_logits, self.dropout, self.seed, self.schedule)


def settings(work: Work) -> Settings:
    """What of the work is no tensor."""
    scale = 1.0 if isinstance(work.factor, Tensor) else work.factor
    return Settings(scale, work.softcap, work.dropout, work.seed, work.schedule)


class Attention(torch.autograd.Function):
    """Work -> (out, lse, and what else is wanted, in order)."""

    @staticmethod
    def forward(ctx: Any, work: Work, wanted: Wanted, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        """By the first engine that can."""
        with exact(work.q.device):
            result = engine(work, wanted).forward(work, wanted)
        ctx.save_for_backward(*tensors, result.out, result.lse)
        ctx.settings, ctx.wanted = settings(work), wanted
        ctx.set_materialize_grads(False)
        if result.top_keys is not None:
            ctx.mark_non_differentiable(result.top_keys)
        return result.out, result.lse, *result.extras(wanted)

    @staticmethod
    def backward(ctx: Any, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        """By the same; by the whole matrix for gradients of weights and summaries, and those that are differentiated again."""
        *tensors, out, lse = ctx.saved_tensors
        work, needed = ctx.settings.work(tuple(tensors)), ctx.needs_input_grad[2:]
        twice, (d_out, d_lse, *rest) = torch.is_grad_enabled(), given
        if twice or any(d is not None for d in rest):
            return (None, None, *again(work, ctx.wanted, needed, given, twice))
        if d_out is None:
            d_out = torch.zeros_like(out)
        needs = tuple(name for name, need in zip(TENSORS, needed, strict=True) if need)
        with exact(work.q.device):
            gradients = engine(work, LSE).backward(work, Given(out, lse, d_out, d_lse, needs))
        return (None, None, *(x if need else None for x, need in zip(gradients_of(gradients), needed, strict=True)))


def again(work: Work, wanted: Wanted, needed: tuple[bool, ...], given: tuple[Tensor | None, ...], twice: bool) -> tuple[Tensor | None, ...]:
    """The gradients by way of the whole matrix; `twice`: as functions that can be differentiated themselves."""
    tensors = tensors_of(work)
    with torch.enable_grad():
        if not twice:  # leaves of their own, so that nothing before them is entered
            tensors = tuple(None if x is None else x.detach().requires_grad_(need) for x, need in zip(tensors, needed, strict=True))
        pairs = [(x, d) for x, d in zip(everything(settings(work).work(tensors), wanted), given, strict=True) if d is not None]
        leaves = [x for x, need in zip(tensors, needed, strict=True) if need and x is not None]
        sources, directions = [x for x, _ in pairs], [d for _, d in pairs]
        found = iter(
            torch.autograd.grad(sources, leaves, directions, create_graph=twice, allow_unused=True)
            if leaves and pairs
            else [None] * len(leaves)
        )
    return tuple(next(found) if need else None for need in needed)


def everything(work: Work, wanted: Wanted) -> list[Tensor]:
    """The output, the log-sum-exp and what else is wanted, from the whole matrix."""
    weights, lse = weighed(work)
    seen = summarise(weights, lse, wanted.summaries)
    best, keys = (None, None) if seen.topk is None else seen.topk
    chosen = None if wanted.weights is None else wanted.weights.of(weights).to(work.q.dtype)
    every = Found(mixed(work, weights), lse, seen.entropy, seen.distance, seen.sinks, best, keys, seen.columns, chosen)
    return [every.out, every.lse, *every.extras(wanted)]
