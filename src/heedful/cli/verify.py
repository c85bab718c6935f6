"""`heedful verify`: whether a plan holds, on text that nothing was chosen on."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from heedful.cli.allocator import keep_memory
from heedful.cli.options import FLAT, Json, use_threads
from heedful.cli.told import told
from heedful.manage.verify.protocol import Protocol

if TYPE_CHECKING:
    from heedful.manage.verify.report import Report

PROTOCOL = Protocol()
TOKENS, FEWEST = 65_536, 24  # of the claim, where nobody says how many


def verify(
    model: str,
    /,
    *,
    plan: Path,
    data: str | None = None,
    epsilon: float = 0.01,
    length: int | None = None,
    limit: int | None = None,
    batch: int = 1,
    profile: Path | None = None,
    out: Path | None = None,
    promoted: Annotated[Path | None, Parameter(name="--promoted")] = None,
    protocol: Annotated[Protocol, FLAT] = PROTOCOL,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Judge a plan by a bound on what it loses, promote heads where it loses too much, and time it; exit 1 if it does not hold.

    Arguments:
        model: a run's folder or checkpoint, a Hugging Face folder, or a model's name.
        plan: what `heedful plan` wrote.
        data: the text, as for `heedful plan`; the run's own unless given. Its select part is for promotion, its test part for the claim.
        epsilon: what may be lost: nats a token, or of --metric.
        length: tokens of a sequence; the plan's unless given.
        limit: batches of each part at most; unless given, enough for 65,536 tokens, and for 24 sequences at least.
        batch: sequences of a batch.
        profile: what `heedful profile` wrote, for promotion; measured on the select part unless given.
        out: where the report goes, as JSON.
        promoted: where the plan goes as it was judged in the end.
        json: the report instead of a table.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.manage.plan import Plan
    from heedful.manage.profile import Profile
    from heedful.manage.verify.verify import verify as judge
    from heedful.tasks.opened import opened

    use_threads(threads)
    keep_memory()
    held = Plan.load(plan)
    known = None if profile is None else Profile.load(profile)
    size = length or held.length
    found = opened(model, data, size, batch, limit or -(-max(FEWEST, TOKENS // size) // batch))
    with told() as tell:
        tell(found.sizes())
        parts = found.parts
        report = judge(found.model, held, parts.test, epsilon, select=parts.select, profile=known, protocol=protocol, tell=tell)
    if out is not None:
        report.save(out)
    if promoted is not None:
        report.plan.save(promoted)
    show(report, json)


def show(report: Report, json: bool) -> None:
    """Print it; exit 1 where the plan does not hold."""
    from rich.console import Console

    from heedful.errors import HeedfulError

    if json:
        print(text.dumps(report.record(), ensure_ascii=False, indent=2))
    else:
        console = Console(highlight=False)
        console.print(report.table())
        for line in report.notes:
            console.print(line, soft_wrap=True)
    if not report.passed:
        raise HeedfulError(f"the plan does not hold: {'; '.join(report.reasons)}")
