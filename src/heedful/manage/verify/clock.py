"""What a plan saves: both models on the clock at the plan's length, and whether the plan is slower where it should save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from jaxtyping import Int
from torch import Tensor, nn

from heedful.manage.objective import Batch
from heedful.manage.plan import Plan
from heedful.manage.verify.timing import STEPS, Timing, decode, prefill
from heedful.models.language_model import LanguageModel

Switch = Callable[[], AbstractContextManager[object]]


def timings(model: nn.Module, plan: Plan, applied: Switch, batches: Sequence[Batch], rounds: int) -> tuple[Timing, ...]:
    """Prefill, decoding and cache of a model that reads left to right; the pass alone of any other."""
    batch = batches[0]
    if not reads_on(plan, batch):
        return (prefill(applied, rounds, lambda: model(**batch)),)
    return decode(model, applied, text(model, batches, plan.length, STEPS + 1), rounds)


def reads_on(plan: Plan, batch: Batch) -> bool:
    """Whether the model continues a text: its attention looks back only, and it is given tokens."""
    return all(site.causal and site.kind == "self" for site in plan.sites) and tokens(batch) is not None


def tokens(batch: Batch) -> Int[Tensor, "b t"] | None:
    """A batch's tokens."""
    ids = batch.get("input_ids", batch.get("ids"))
    return ids if isinstance(ids, Tensor) else None


def text(model: nn.Module, batches: Sequence[Batch], length: int, more: int = 0) -> Int[Tensor, "1 t"]:
    """`length` tokens of the batches in a row, from the start again where there are fewer; room is left for `more`."""
    limit = model.limit if isinstance(model, LanguageModel) else None
    wanted = length if limit is None else min(length, limit - more)
    rows = torch.cat([ids.flatten() for batch in batches if (ids := tokens(batch)) is not None])
    return rows.repeat(-(-wanted // len(rows)))[None, :wanted]


def slower(plan: Plan, found: Sequence[Timing]) -> str | None:
    """Why a plan does not pay in the phase that it was made for; None where it does, or where it saves bytes and that was asked."""
    phase = "decode" if plan.budget.phase == "decode" else "prefill"
    asked = next((one for one in found if one.name == phase), None)
    if asked is None or not asked.slower:
        return None
    return (
        f"slower than the dense model: {asked.planned:.3g} {asked.unit} against {asked.dense:.3g} ({asked.gain:.2f} x) in {phase} "
        f"at {plan.length:,} tokens"
    )
