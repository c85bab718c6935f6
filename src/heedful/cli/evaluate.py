"""`heedful evaluate`: the metrics of a run, as a table and as metrics.json."""

from __future__ import annotations

import json as text
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from heedful.cli.allocator import keep_memory
from heedful.cli.options import FLAT, MEASURE, Json, use_threads
from heedful.tasks.task import Measure

if TYPE_CHECKING:
    from rich.table import Table

    from heedful.tasks.task import Evaluation, Listing

COLUMNS = ("loss", "perplexity", "bits_per_character", "accuracy", "word_perplexity")
PICTURED = ("mean_iou", "mean_iou_of_kinds", "item_iou", "pixels_right", "map_50", "map_75", "items_50", "pointing", "pointing_by_chance")
SHARES = (*PICTURED, "iou", "identity", "word_errors", "monotonic")


def evaluate(
    run: Path,
    /,
    *,
    measure: Annotated[Measure, FLAT] = MEASURE,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Measure a run over a whole text, by a protocol that is printed with it; also written to RUN/metrics.json.

    Arguments:
        run: a folder that `heedful train` wrote, or one of its checkpoints.
        json: an object instead of a table.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.table import refuse_cuts, refuse_noise, refuse_pointing, task_of

    use_threads(threads)
    keep_memory()
    task = task_of(run)
    refuse_noise(task, measure)
    refuse_pointing(task, measure)
    refuse_cuts(task, measure)
    found = task.evaluate(run, measure)
    if json:
        print(text.dumps(asdict(found), ensure_ascii=False, indent=2))
    else:
        show(found)


def show(found: Evaluation) -> None:
    """A row a model, and the protocol under it."""
    from rich.console import Console

    console = Console()
    console.print(table(found))
    for listing in found.listings:
        console.print(listed(listing))
    console.print(found.protocol, highlight=False)


def table(found: Evaluation) -> Table:
    """The scores as a table."""
    from rich.table import Table

    shown = Table("model", pad_edge=False)
    columns = columns_of(found)
    for name in columns:
        shown.add_column(name.replace("_", " ").replace("bits per character", "bits/char"), justify="right")
    for name, row in found.rows.items():
        shown.add_row(name, *(number(column, row.get(column)) for column in columns))
    return shown


def columns_of(found: Evaluation) -> tuple[str, ...]:
    """The scores that are shown: those of texts that go on, or whatever the model's row holds."""
    first = next(iter(found.rows.values()))
    if "perplexity" not in first:
        return tuple(first)
    return COLUMNS if by_words(found) else COLUMNS[:-1]


def listed(listing: Listing) -> Table:
    """A table beside the scores."""
    from rich.table import Table

    shown = Table(*listing.head, title=listing.title, title_justify="left", pad_edge=False)
    for column in shown.columns[1:]:
        column.justify = "right"
    for row in listing.rows:
        shown.add_row(*(f"{cell:.1%}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    return shown


def by_words(found: Evaluation) -> bool:
    """Whether the model reads words or pieces of them, so that its perplexity by words is of use."""
    model = next(iter(found.rows.values()))
    return bool(model["characters"] > 1.5 * model["tokens"])


def number(column: str, value: Any) -> str:
    """A score as it is read."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return (
        f"{value:.1%}"
        if column in ("accuracy", "macro_f1", "exact", "answers") or column in SHARES
        else f"{value:,.4f}"
        if column in ("loss", "bits_per_character", "calibration_error", "mrr", "map", "error", "real_time") or "@" in column
        else f"{value:,.2f}"
    )
