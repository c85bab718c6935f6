"""`heedful bench`: this machine's attention, correct first and then timed, against what else there is."""

from __future__ import annotations

import json as text
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from heedful.cli.options import Flag, Json, Words, use_threads
from heedful.errors import HeedfulError

if TYPE_CHECKING:
    from heedful.bench.run import Report
    from heedful.bench.setting import Setting

NO_WORDS: list[str] = []


def bench(
    *,
    quick: Flag = False,
    measure: Flag = False,
    rows: Words = NO_WORDS,
    backend: str = "auto",
    device: str = "cpu",
    out: Path | None = None,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Time every backend against torch and other libraries, as ratios in one run; what is wrong is not timed.

    Libraries that are not installed are named and left out.

    Arguments:
        quick: smaller sizes, under two minutes on two cores.
        measure: first measure every backend over a grid of sizes, for predictions and the choice of `auto` from then on;
            with no row named, nothing else.
        rows: only this row; may be given several times.
        backend: time this one instead of the one that `auto` chooses.
        device: cpu, or cuda.
        out: write the table here as a Markdown page.
        json: an object instead of tables.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.bench.run import chosen
    from heedful.bench.setting import Setting

    use_threads(threads)
    chosen(rows)
    if measure:
        measured(device, quick)
        if not rows:
            return
    report = watched(Setting(quick, backend, device), rows)
    if out is not None:
        save(report, out)
    if json:
        print(text.dumps(report.record(), ensure_ascii=False, indent=2))
        return
    show(report)
    if report.wrong:
        raise HeedfulError("; ".join(figure.note for figure in report.wrong))


def measured(device: str, quick: bool) -> None:
    """Measure the backends, with what it is at on standard error, and say where it was written."""
    from rich.console import Console

    from heedful.bench.calibrate import measure

    with Console(file=sys.stderr).status("measuring") as status:
        found = measure(device=device, quick=quick, tell=status.update)
    print(f"{found.points} measurements in {found.path}", file=sys.stderr)


def watched(setting: Setting, rows: list[str]) -> Report:
    """The benchmark, with what it is at on standard error."""
    from rich.console import Console

    from heedful.bench.run import bench as run

    with Console(file=sys.stderr).status("warming up") as status:
        return run(setting, rows, status.update)


def show(report: Report) -> None:
    """The tables."""
    from rich.console import Console

    from heedful.bench.report import show as printed

    printed(report, Console())


def save(report: Report, out: Path) -> None:
    """The page, whole or not at all."""
    from heedful.atomic import write
    from heedful.bench.report import markdown

    write(out, markdown(report))
