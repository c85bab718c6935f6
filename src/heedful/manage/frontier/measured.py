"""Many plans on the same text: the dense model once a batch and every plan after it; and all of them in turn on the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
import torch
from torch import nn

from heedful.errors import HeedfulError
from heedful.manage.allocate.joint import assignment
from heedful.manage.apply.apply import applied
from heedful.manage.frontier.ladder import Ladder
from heedful.manage.objective import Batch, Loss, token_losses
from heedful.manage.plan import Plan
from heedful.manage.simulate import simulated
from heedful.manage.verify.clock import reads_on, text
from heedful.manage.verify.decoding import Reader
from heedful.manage.verify.judge import Judged, judged
from heedful.manage.verify.pair import Pair, paired
from heedful.manage.verify.timing import STEPS, taken, undisturbed

Switch = Callable[[], AbstractContextManager[object]]


@torch.no_grad()
def quality(
    model: nn.Module,
    plans: Sequence[Plan],
    batches: Sequence[Batch],
    prefill: int | None,
    loss: Loss | None,
    ladder: Ladder,
    tell: Callable[[str], None],
) -> list[Judged]:
    """What each plan loses, in order."""
    found: list[list[Pair]] = [[] for _ in plans]
    for number, batch in enumerate(batches):
        dense = token_losses(model, batch, loss)
        for at, plan in enumerate(plans):
            tell(f"text {number + 1} of {len(batches)}, plan {at + 1} of {len(plans)}")
            with simulated(model, assignment(plan.choices), prefill):
                thin = token_losses(model, batch, loss)
            found[at] += paired(batch, dense, thin, "nll", prefill or 0)
    return [judged(pairs, ladder.level, ladder.block, ladder.seed) for pairs in found]


@torch.no_grad()
def times(
    model: nn.Module, plans: Sequence[Plan], batches: Sequence[Batch], rounds: int, tell: Callable[[str], None]
) -> tuple[float | None, list[float | None]]:
    """Milliseconds, of the quickest round, of the dense model and of every plan: of a pass, or of a token behind one.

    None for what cannot run.
    """
    if rounds == 0:
        return None, [None] * len(plans)
    work = work_of(model, plans[0], batches)
    switches: list[Switch] = [nullcontext, *(partial(applied, model, plan) for plan in plans)]
    runs: list[list[float]] = [[] for _ in switches]
    for number in range(rounds):
        order = range(len(switches))
        for at in order if number % 2 == 0 else reversed(order):
            tell(f"clock: round {number + 1} of {rounds}, plan {at} of {len(plans)}")
            try:
                with switches[at](), undisturbed():
                    work()
                    runs[at].append(work())
            except HeedfulError:
                continue  # a plan that cannot be applied has no time; `verify` says why
    quickest = [min(run, default=None) for run in runs]
    return quickest[0], quickest[1:]


def work_of(model: nn.Module, plan: Plan, batches: Sequence[Batch]) -> Callable[[], float]:
    """What is timed, and its milliseconds: a pass over the plan's length, or a token behind it."""
    if not reads_on(plan, batches[0]):
        return lambda: 1000 * taken(lambda: model(**batches[0]))
    ids = text(model, batches, plan.length, STEPS + 1)
    if plan.budget.phase == "prefill":
        return lambda: 1000 * taken(lambda: Reader(model).read(ids))

    def step() -> float:
        reader, token = Reader(model), ids[:, -1:]
        reader.read(ids)
        reader.read(token)
        return 1000 * float(np.median([taken(lambda: reader.read(token)) for _ in range(STEPS)]))

    return step
