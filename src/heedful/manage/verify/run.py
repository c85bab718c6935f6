"""The plan as it would be used: applied, compared with what was judged, and timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from torch import nn

from heedful.errors import HeedfulError
from heedful.manage.apply.apply import applied
from heedful.manage.objective import Batch, Loss
from heedful.manage.plan import Plan
from heedful.manage.verify.clock import reads_on, slower, text, timings
from heedful.manage.verify.protocol import Protocol
from heedful.manage.verify.realised import STEPS, Realised, realised
from heedful.manage.verify.timing import Timing

Planned = Callable[[int | None], Callable[[], AbstractContextManager[object]]]


@dataclass(frozen=True, slots=True)
class Run:
    """What the clock said; how far the applied model is from the judged one; and reasons against it."""

    timings: tuple[Timing, ...] = ()
    same: float | None = None
    reasons: tuple[str, ...] = ()


def tried(model: nn.Module, plan: Plan, planned: Planned, batches: Sequence[Batch], loss: Loss | None, how: Protocol) -> Run:
    """Apply it; a plan that cannot be applied, or that then says something else, does not hold."""
    switch = partial(applied, model, plan)
    try:
        with switch():
            pass
    except HeedfulError as error:
        return Run(reasons=(f"it cannot be applied: {error}",))
    found = None if loss is not None else compared(model, plan, planned, partial(applied, model, plan, dense_below=0), batches)
    timed = timings(model, plan, switch, batches, how.timed) if how.timed else ()
    late = slower(plan, timed)
    reasons = [late] if late else []
    if found is not None and not found.same:
        reasons.append(f"applied it differs by {found.apart:.3g} nats a token from what was judged")
    return Run(timed, None if found is None else found.apart, tuple(reasons))


def compared(
    model: nn.Module, plan: Plan, planned: Planned, switch: Callable[[], AbstractContextManager[object]], batches: Sequence[Batch]
) -> Realised | None:
    """The applied and the simulated model on a text of the plan's length; on a batch where the model reads no text."""
    if not reads_on(plan, batches[0]):
        return realised(model, planned(None), switch, batches[0])
    ids = text(model, batches, plan.length)
    prefill = ids.shape[1] - STEPS if plan.budget.phase == "decode" else None
    return realised(model, planned(prefill), switch, {"input_ids": ids}, prefill)
