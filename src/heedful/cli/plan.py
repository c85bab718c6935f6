"""`heedful plan`: one option for each head of a model, of least loss within a budget."""

from __future__ import annotations

import json as text
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heedful.cli.bar import bar
from heedful.cli.options import Flag, Json, Words, use_threads
from heedful.cli.told import told

if TYPE_CHECKING:
    from heedful.manage.plan import Plan
    from heedful.manage.profile import Profile
    from heedful.tasks.opened import Opened

NAMES: list[str] = []


def plan(
    model: str,
    /,
    *,
    data: str | None = None,
    milliseconds: str | None = None,
    operations: str | None = None,
    bytes: str | None = None,
    length: int | None = None,
    phase: Literal["prefill", "decode"] = "prefill",
    profile: Path | None = None,
    estimator: Words = NAMES,
    swaps: int = 100,
    fresh: Flag = False,
    gates: float = 0.0,
    out: Path = Path("plan.json"),
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Fit a model's attention to a budget: which heads keep all of it, which a window or a small cache, which are dropped.

    An amount up to 1 is a share of what the attention core takes without a plan; several amounts must all be kept.

    Arguments:
        model: a folder that `heedful train` wrote, one of its checkpoints, a Hugging Face folder or the name of a model.
        data: a text as `heedful train` takes it; the run's own held-out text if not given.
        milliseconds: such as 0.5 or 40ms; in prefill of a text, in decode of one more token.
        operations: such as 0.5 or 2e9.
        bytes: of the key/value caches, such as 0.5 or 64MiB.
        length: tokens of a text; the profile's, or as many as the model learnt to read.
        phase: prefill or decode.
        profile: what `heedful profile` wrote for this model; profiled now if not given.
        estimator: whose losses are tried (may be given again); all of the profile's if none is.
        swaps: whole plans tried beyond those where the budget is below a fifth.
        fresh: measure again what options cost on this machine.
        gates: nats a token that closing parts of the model's own gates (SE, LPW, LAA) may lose; 0 leaves them as they are.
        out: the file that is written.
        json: the plan on standard output instead of tables.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.cli.allocator import keep_memory
    from heedful.manage.planning import Search
    from heedful.manage.planning import plan as planned
    from heedful.manage.profile import Profile
    from heedful.spec.budget import Budget
    from heedful.tasks.opened import opened

    budget = Budget(milliseconds, operations, bytes, length, phase)
    known = None if profile is None else Profile.load(profile)
    use_threads(threads)
    keep_memory()
    found = opened(model, data, length if known is None else known.length)
    if known is None:
        known = profiled(found, phase)
    search = Search(tuple(estimator) or None, swaps=swaps, fresh=fresh, gates=gates)
    with told() as tell:
        made = planned(known, budget, model=found.model, batches=found.parts.calibrate, search=search, progress=tell)
    made.save(out)
    show(made, out, json)


def profiled(found: Opened, phase: Literal["prefill", "decode"]) -> Profile:
    """A profile of the model, as `heedful profile` makes it."""
    from heedful.cli.profile import FEWEST, MOST, TOKENS, some
    from heedful.manage.profiling import profile

    texts = some(found.parts.calibrate, min(MOST, max(FEWEST, TOKENS // found.length)))
    with bar("profile") as progress:
        return profile(found.model, texts, length=found.length, phase=phase, name=found.name, progress=progress)


def show(made: Plan, out: Path, json: bool) -> None:
    """Tables, or the plan itself."""
    from rich.console import Console

    from heedful.manage.allocate.drawing import grid, totals

    if json:
        print(text.dumps(asdict(made), ensure_ascii=False))
        return
    console = Console()
    console.print(grid(made), highlight=False, soft_wrap=True)
    console.print(totals(made))
    for note in (*made.notes, f"written to {out}"):
        console.print(note, highlight=False, soft_wrap=True)
