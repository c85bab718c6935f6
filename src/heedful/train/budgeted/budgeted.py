"""What a spec asks a job to spend: penalties where the model has something to spend less of, growing windows where it has not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from torch import nn

from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.spec.train import TrainSpec
from heedful.train.budgeted.growth import Growth, doubling, growth_to, narrowed
from heedful.train.budgeted.spend import gated, penalised, spans
from heedful.train.job import Job

Around = Callable[[int, int], AbstractContextManager[None]]


def budgeted(job: Job) -> tuple[Job, Around]:
    """The job under its budget, and what is wrapped around each step.

    With a budget, a model that has adaptive gates or learned spans pays for what it spends above it; any other sees through windows that
    grow so that their mean is the budget. `train.growth` asks for growing windows by itself.

    Raises `UsageError` for a model without attention layers, and for a budget that cannot be kept.
    """
    spec = job.spec.train
    if spec.budget is None and spec.growth is None:
        return job, lambda step, total: nullcontext()
    if not any(isinstance(module, MultiHeadAttention) for module in job.model.modules()):
        raise UsageError(
            f"train.budget and train.growth spare attention layers, and this {job.spec.model.kind} model has none: leave them out"
        )
    pays = spec.budget is not None and (gated(job.model) or bool(spans(job.model)))
    if pays and spec.budget is not None:
        job = replace(job, objective=penalised(job.objective, spec.budget, spec.price))
    growth = growing(spec, job.spec.model.context, pays)
    return job, lambda step, total: narrowed(job.model, None if growth is None else growth.window(step, total))


def growing(spec: TrainSpec, context: int, pays: bool) -> Growth | None:
    """The growth that is asked for, or that keeps the budget."""
    if spec.growth is not None:
        return Growth(doubling(context), spec.growth) if doubling(context) else None
    return None if pays or spec.budget is None else growth_to(spec.budget, context)


def told(model: nn.Module, spec: TrainSpec, context: int) -> str | None:
    """How the budget is kept, in words; None without one."""
    if spec.budget is None and spec.growth is None:
        return None
    pays = spec.budget is not None and (gated(model) or bool(spans(model)))
    growth = growing(spec, context, pays)
    parts = [f"gates and spans pay {spec.price:g} nats for all that is above {spec.budget:.0%} of attention"] if pays else []
    if growth is not None:
        windows = ", ".join(map(str, growth.windows))
        parts.append(
            f"windows of {windows} tokens over the first {growth.share:.0%} of the steps: {growth.spend(context):.0%} of attention"
        )
    return "; ".join(parts)
