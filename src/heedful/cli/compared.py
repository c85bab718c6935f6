"""The table of `heedful explain --compare`."""

from __future__ import annotations

import json as text
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heedful.tasks.explained.asking import Asking

WIDE = 140
HEAD = ("method", "compr.", "suff.", "over random (95%)", "NAOPC", "soft c.", "soft s.", "sanity", "passes")
LEGEND = (
    "compr.: probability lost without the top units (high is good); suff.: with them alone (low is good); over random: their difference "
    "above that of random orders; NAOPC: between the worst order (0) and the best (1); soft: Zhao & Aletras; sanity: rank correlation with "
    "the scores under random weights (near 0 is good)"
)
KNOWN = (
    "; points: how often the highest unit is one that is known to be right, a possible one half (of words aligned: 1 - alignment error); "
    "AP: the average precision of the scores for the right ones; both of the {count} inputs of which it is known"
)


def show(task: str, run: Path, asking: Asking, json: bool) -> None:
    """Compare, print the table or the object, and say what the run's default is now."""
    from rich.console import Console
    from rich.progress import Progress

    from heedful.tasks.explained.comparing import compare

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task_bar = bar.add_task("comparing", total=None)

        def told(count: int) -> Any:
            bar.update(task_bar, total=count)
            return lambda: bar.advance(task_bar)

        found, record = compare(task, run, asking, told)
    if json:
        print(text.dumps(record, indent=2))
        return
    console = Console()
    console = console if console.is_terminal else Console(width=WIDE)  # a table in a file is not squeezed
    console.print(table(record))
    for name, reason in found.skipped.items():
        console.print(f"{name} left out: {reason}", highlight=False, soft_wrap=True)
    known = len(found.chance.points)
    console.print(LEGEND + (KNOWN.format(count=known) if known else ""), highlight=False, soft_wrap=True)
    console.print(found.standing(found.best).words(), highlight=False, soft_wrap=True)
    console.print(f"{found.best.method.name} is the default of {run} now (explain.json)", highlight=False, soft_wrap=True)


def table(record: Mapping[str, Any]) -> Any:
    """A row a method."""
    from rich.table import Table

    true = any(row.get("points") for row in record["methods"].values())
    shown = Table(
        *HEAD[:-1],
        *(("points", "AP") if true else ()),
        HEAD[-1],
        title=f"{record['texts']} inputs of {record['data']}",
        title_justify="left",
        pad_edge=False,
    )
    for column in shown.columns[1:]:
        column.justify = "right"
    for name, row in record["methods"].items():
        shown.add_row(name + (" *" if name == record["best"] else ""), *cells(row, true))
    return shown


def cells(row: Mapping[str, Any], true: bool) -> list[str]:
    """The numbers of a method; `true` where something is known to be right."""
    over = row["over_random"]
    gap = "-" if over is None else f"{over['mean']:+.3f} ({over['low']:+.3f} to {over['high']:+.3f})"
    means = [f"{row[name]['mean']:.3f}" for name in ("comprehensiveness", "sufficiency")]
    rest = ["-" if row[name] is None else f"{row[name]:.3f}" for name in REST]
    right = [f"{row[name]['mean']:.3f}" for name in ("points", "precision")] if true else []
    return [*means, gap, *rest, *right, f"{row['passes']:,}"]


REST = ("naopc", "soft_comprehensiveness", "soft_sufficiency", "under_random_weights")
