"""`heedful frontier`: quality against milliseconds, as a page and as a picture."""

from __future__ import annotations

import json as text
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heedful.cli.allocator import keep_memory
from heedful.cli.options import Json, use_threads
from heedful.cli.told import told

if TYPE_CHECKING:
    from rich.table import Table

    from heedful.manage.frontier.frontier import Frontier

BUDGETS = "0.8,0.6,0.5,0.4,0.25"


def frontier(
    model: str,
    /,
    *,
    data: str | None = None,
    length: int | None = None,
    phase: Literal["prefill", "decode"] = "prefill",
    profile: Path | None = None,
    budgets: str = BUDGETS,
    resource: Literal["milliseconds", "operations", "bytes"] = "milliseconds",
    limit: int = 8,
    batch: int = 1,
    block: int | None = None,
    timed: int = 3,
    out: Path = Path("frontier.html"),
    png: Path | None = None,
    json: Json = False,
    seed: int = 0,
    threads: int | None = None,
) -> None:
    """Plan at a ladder of budgets, beside five controls at the same cost, and draw what each loses and takes.

    Arguments:
        model: a run's folder or checkpoint, a Hugging Face folder, or a model's name.
        data: the text, as for `heedful plan`; the run's own unless given.
        length: tokens of a sequence; the profile's, or the run's context, unless given.
        phase: prefill for reading a text, decode for each further token.
        profile: what `heedful profile` wrote; measured unless given.
        budgets: shares of what the attention core takes, with commas between.
        resource: of what: milliseconds on this machine, operations, or bytes of the cache.
        limit: batches of each part at most.
        batch: sequences of a batch.
        block: tokens of a block that counts as independent in the bounds; whole sequences unless given.
        timed: rounds on the clock; 0 takes no time.
        out: the page.
        png: a picture too.
        json: all of it as an object on standard output.
        seed: of the random control and the bounds.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.manage.frontier.drawing import frontier as draw
    from heedful.manage.frontier.ladder import Ladder
    from heedful.manage.frontier.page import write_page
    from heedful.manage.frontier.picture import write_picture
    from heedful.manage.profile import Profile
    from heedful.manage.profiling import profile as profiled
    from heedful.tasks.opened import opened

    use_threads(threads)
    keep_memory()
    ladder = Ladder(budgets=shares(budgets), resource=resource, timed=timed, block=block, seed=seed)
    held = None if profile is None else Profile.load(profile)
    found = opened(model, data, length or (held.length if held else None), batch, limit)
    with told() as tell:
        tell(found.sizes())
        held = held or profiled(found.model, found.parts.calibrate, phase=phase, length=found.length, name=found.name)
        drawn = draw(found.model, held, found.parts.test, calibrate=found.parts.calibrate, ladder=ladder, name=called(model), tell=tell)
    write_page(drawn, out, shlex.join(["heedful", *sys.argv[1:]]))
    if png is not None:
        write_picture(drawn, png)
    show(drawn, out, json)


def called(model: str) -> str:
    """What a model is called on the page: the last part of its path or name.

    >>> called("runs/mine"), called("hub/gpt2")
    ('mine', 'gpt2')
    """
    path = Path(model)
    return path.stem if path.is_file() else path.name


def shares(budgets: str) -> tuple[float, ...]:
    """The budgets, each once, the largest first.

    >>> shares("0.25, 0.8")
    (0.8, 0.25)
    """
    from heedful.errors import UsageError

    try:
        found = {float(one) for one in budgets.split(",")}
    except ValueError:
        raise UsageError(f"--budgets {budgets!r}: shares with commas between, such as {BUDGETS}, would work") from None
    return tuple(sorted(found, reverse=True))


def show(drawn: Frontier, out: Path, json: bool) -> None:
    """The points, or all of it as an object."""
    from rich.console import Console

    if json:
        print(text.dumps(drawn.record(), ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(table(drawn))
    console.print(f"over {drawn.unit}; written to {out}", soft_wrap=True)


def table(drawn: Frontier) -> Table:
    """A row a policy, a column a budget: nats lost at equal predicted cost."""
    from rich.table import Table

    budgets = sorted({point.budget for point in drawn.points}, reverse=True)
    shown = Table("nats a token lost at", *(f"{budget:.0%}" for budget in budgets), pad_edge=False)
    for policy in drawn.policies:
        lost = {point.budget: f"{point.loss:+.4f}" for point in drawn.of(policy)}
        shown.add_row(policy, *(lost.get(budget, "") for budget in budgets))
    return shown
