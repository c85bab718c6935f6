"""A short training of some of a model's parameters, for any model that its batches are passed to."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import HeedfulError, UsageError
from heedful.manage.hashes import INPUTS
from heedful.manage.objective import Batch, Loss, token_losses
from heedful.spec.check import positive
from heedful.train.interrupt import stoppable
from heedful.train.progress import Report, Silent
from heedful.train.schedule import factor

Aim = Callable[[nn.Module, Batch], Float[Tensor, ""]]
Switch = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Lessons:
    """How long and how fast: optimiser `steps`, the peak `rate`, share of the steps to warm up, norm of the gradient at most."""

    steps: int = 200
    rate: float = 1e-3
    warmup: float = 0.05
    clip: float = 1.0
    looks: int = 5  # how often it is judged; the best of these is kept
    decay: float = 0.0

    def __post_init__(self) -> None:
        positive({"steps": self.steps, "rate": self.rate, "clip": self.clip, "looks": self.looks})


@dataclass(frozen=True)
class Learnt:
    """What a training came to: the judged loss before, the best one, its step, and whether Ctrl-C ended it."""

    before: float
    best: float
    step: int
    stopped: bool


def learn(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    batches: Callable[[], Iterator[Batch]],
    judged: Iterable[Batch],
    lessons: Lessons,
    *,
    aim: Aim | None = None,
    within: Switch = nullcontext,
    report: Report | None = None,
) -> Learnt:
    """Train `parameters` alone, and leave them as they were best on the judged batches; the rest of the model stays as it was.

    `aim(model, batch)` is minimised, nats a token unless given; `within()` is entered around each pass (a plan, a switch).
    Ctrl-C ends the training early and keeps what was best so far.

    Raises `UsageError` where there is nothing to train, `HeedfulError` for a loss that is not finite.
    """
    if not parameters:
        raise UsageError("nothing to train: no parameter was found for this method")
    wanted = aim or nats
    others = [each for each in model.parameters() if not any(each is mine for mine in parameters)]
    frozen = [each.requires_grad for each in others]
    for each in others:
        each.requires_grad_(False)
    for each in parameters:
        each.requires_grad_(True)
    try:
        return trained(model, parameters, batches(), judged, lessons, wanted, within, report or Silent())
    finally:
        for each, was in zip(others, frozen, strict=True):
            each.requires_grad_(was)


def trained(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    batches: Iterator[Batch],
    judged: Iterable[Batch],
    lessons: Lessons,
    aim: Aim,
    within: Switch,
    report: Report,
) -> Learnt:
    """The steps themselves."""
    optimiser = torch.optim.AdamW(parameters, lr=lessons.rate, weight_decay=lessons.decay)
    before = best = judge(model, judged, aim, within)
    kept, at, every = copied(parameters), 0, max(1, lessons.steps // lessons.looks)
    with report, stoppable() as stop:
        report.begin(0, lessons.steps)
        for step in range(1, lessons.steps + 1):
            batch, began = next(batches), time.perf_counter()
            loss = stepped(model, parameters, optimiser, batch, lessons, step, aim, within)
            report.trained(step, loss, inputs_of(batch).numel() / (time.perf_counter() - began))
            if step % every == 0 or step == lessons.steps or stop.asked:
                found = judge(model, judged, aim, within)
                report.validated(step, found, found < best)
                if found < best:
                    best, kept, at = found, copied(parameters), step
            if stop.asked:
                break
        stopped = stop.asked
    with torch.no_grad():
        for each, value in zip(parameters, kept, strict=True):
            each.copy_(value)
    return Learnt(before, best, at, stopped)


def stepped(
    model: nn.Module,
    parameters: Sequence[nn.Parameter],
    optimiser: torch.optim.Optimizer,
    batch: Batch,
    lessons: Lessons,
    step: int,
    aim: Aim,
    within: Switch,
) -> float:
    """One step; its loss."""
    share = factor("cosine", step - 1, lessons.steps, round(lessons.warmup * lessons.steps), 0.0)
    for group in optimiser.param_groups:
        group["lr"] = lessons.rate * share
    was = model.training
    model.train()
    with within():
        loss = aim(model, batch)
    model.train(was)
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(parameters, lessons.clip)
    optimiser.step()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise HeedfulError(f"the loss is {value} at step {step}: a lower --rate would help")
    return value


@torch.no_grad()
def judge(model: nn.Module, batches: Iterable[Batch], aim: Aim, within: Switch) -> float:
    """The mean of what is minimised over the batches, in evaluation."""
    was = model.training
    model.eval()
    values = []
    for batch in batches:
        with within():
            values.append(float(aim(model, batch)))
    model.train(was)
    return sum(values) / len(values)


def nats(model: nn.Module, batch: Batch, loss: Loss | None = None) -> Float[Tensor, ""]:
    """Nats a token."""
    scored = token_losses(model, batch, loss)
    return scored.total / max(1, scored.number)


def inputs_of(batch: Batch) -> Tensor:
    """What a model reads of a batch."""
    found: Tensor = next(batch[name] for name in INPUTS if name in batch)
    return found


def copied(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    """The values now."""
    return [each.detach().clone() for each in parameters]


def teacher_of(model: nn.Module) -> nn.Module:
    """A copy that does not learn."""
    return copy.deepcopy(model).eval().requires_grad_(False)
