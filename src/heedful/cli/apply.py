"""`heedful apply`: a model under a plan, as a folder of its own."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import TYPE_CHECKING

from heedful.cli.options import Flag, Json

if TYPE_CHECKING:
    from heedful.manage.plan import Plan


def apply(
    model: str,
    /,
    *,
    plan: Path,
    out: Path,
    overwrite: Flag = False,
    json: Json = False,
) -> None:
    """Write the model that a plan makes of another: smaller, faster, and opened like any other by every command.

    Arguments:
        model: a folder that `heedful train` wrote, one of its checkpoints, a Hugging Face folder or the name of a model.
        plan: a file that `heedful plan` wrote for this model.
        out: the new folder. A Hugging Face model's is opened by `heedful.load(folder)`.
        overwrite: put it in the place of an earlier run in that folder.
        json: an object instead of a sentence.
    """
    from heedful.manage.plan import Plan
    from heedful.tasks.applied import apply_to

    chosen = Plan.load(plan)
    apply_to(model, chosen, out, overwrite)
    record = {"out": str(out), "model": model, "plan": str(plan), "options": chosen.options, "length": chosen.length}
    print(text.dumps(record, ensure_ascii=False) if json else told(chosen, out))


def told(plan: Plan, out: Path) -> str:
    """What was written, in one line."""
    options = ", ".join(f"{count} {name}" for name, count in plan.options.items())
    return f"{out}: {sum(plan.counts)} heads, {options}; a plan for {plan.budget.phase} at {plan.length:,} tokens"
