"""Work in torch's graph of derivatives: forward by an engine, backward by recomputation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from heedful.attention.schedule.schedule import Schedule
from heedful.attention.tiles.engines import engine
from heedful.attention.tiles.exact import exact
from heedful.attention.tiles.naive import naive
from heedful.attention.tiles.work import TENSORS, Found, Given, Gradients, Wanted, Work

LSE = Wanted(("lse",))


def found(work: Work, wanted: Wanted) -> Found:
    """What an engine finds; the output and the log-sum-exp may be differentiated."""
    tensors = tensors_of(work)
    if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors):
        out, lse = Attention.apply(work, *tensors)  # type: ignore[no-untyped-call]
        return Found(out, lse)
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
    """Work -> (out, lse)."""

    @staticmethod
    def forward(ctx: Any, work: Work, *tensors: Tensor | None) -> tuple[Tensor, Tensor]:
        """By the first engine that can."""
        with exact(work.q.device):
            result = engine(work, LSE).forward(work, LSE)
        ctx.save_for_backward(*tensors, result.out, result.lse)
        ctx.settings = settings(work)
        ctx.set_materialize_grads(False)
        return result.out, result.lse

    @staticmethod
    def backward(ctx: Any, d_out: Tensor | None, d_lse: Tensor | None) -> tuple[Tensor | None, ...]:
        """By the same; by the whole matrix where the gradient is to be differentiated again."""
        *tensors, out, lse = ctx.saved_tensors
        work, needed = ctx.settings.work(tuple(tensors)), ctx.needs_input_grad[1:]
        if torch.is_grad_enabled():
            return (None, *again(work, needed, d_out, d_lse))
        if d_out is None:
            d_out = torch.zeros_like(out)
        needs = tuple(name for name, need in zip(TENSORS, needed, strict=True) if need)
        with exact(work.q.device):
            gradients = engine(work, LSE).backward(work, Given(out, lse, d_out, d_lse, needs))
        return (None, *(x if need else None for x, need in zip(gradients_of(gradients), needed, strict=True)))


def again(work: Work, needed: tuple[bool, ...], d_out: Tensor | None, d_lse: Tensor | None) -> tuple[Tensor | None, ...]:
    """The gradients as functions that can be differentiated themselves; the whole matrix is computed."""
    pairs = [(x, d) for x, d in zip(naive(work), (d_out, d_lse), strict=True) if d is not None]
    leaves = [x for x, need in zip(tensors_of(work), needed, strict=True) if need and x is not None]
    found = iter(
        torch.autograd.grad([x for x, _ in pairs], leaves, [d for _, d in pairs], create_graph=True, allow_unused=True)
        if leaves and pairs
        else [None] * len(leaves)
    )
    return tuple(next(found) if need else None for need in needed)
