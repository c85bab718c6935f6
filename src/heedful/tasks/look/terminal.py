"""What was looked at, in the terminal: maps of the scores, then one table of how mechanisms differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from heedful.explanations.terminal import blocks
from heedful.explanations.tokens import visible
from heedful.tasks.look.row import Look, Pair, Row


def show(seen: Look, console: Console) -> None:
    """Print everything."""
    console.print(Text(f"Numbers from {seen.origin}.", style="bold"))
    for pair in seen.pairs:
        for part in parts(pair, console.width):
            console.print()
            console.print(part)


def parts(pair: Pair, width: int) -> Iterator[RenderableType]:
    """Title, maps, tables."""
    yield Text(pair.title, style="bold")
    yield Text("A of head 1 under each score: a row reads the columns" + numbered(pair), style="dim")
    cards = [card(pair, row, width) for row in pair.rows if row.family == "score"]
    yield Columns(cards, padding=(1, 4))
    yield differences(pair.rows)
    gates = [row for row in pair.rows if row.family == "gate"]
    if gates:
        yield gate_table(gates)


def numbered(pair: Pair) -> str:
    """What the numbers over the columns stand for, where the rows do not say it."""
    if pair.queries == pair.keys:
        return ""
    return ", which are " + " ".join(f"{i}:{visible(token)}" for i, token in enumerate(pair.keys, 1))


def card(pair: Pair, row: Row, width: int) -> Group:
    """A mechanism's map under its name."""
    assert row.weights is not None
    return Group(Text(row.name, style="bold"), blocks(row.weights[0], pair.queries, pair.keys, width))


def differences(rows: Sequence[Row]) -> Table:
    """Every mechanism that has an A, the nearest to scaled dot product first."""
    caption = "away: half Σ|A − A′| a query; output: change in length; entropy: nats; distance: tokens"
    shown = plain_table("Distance from scaled dot product", caption)
    shown.add_column("mechanism", no_wrap=True)
    shown.add_column("family", no_wrap=True)
    for title in ("away", "output", "entropy", "distance"):
        shown.add_column(title, justify="right", no_wrap=True)
    for row in sorted((row for row in rows if row.away is not None), key=lambda row: row.away or 0.0):
        shown.add_row(row.name, row.family, *(number(value) for value in (row.away, row.changed, row.entropy, row.distance)))
    return shown


def gate_table(rows: Sequence[Row]) -> Table:
    """What each gate changes of the tokens themselves."""
    shown = plain_table("Gates on the same tokens", "change: length of the difference as a share of the input's")
    shown.add_column("gate", no_wrap=True)
    shown.add_column("change", justify="right", no_wrap=True)
    shown.add_column("values", no_wrap=True)
    for row in sorted(rows, key=lambda row: row.changed):
        shown.add_row(row.name, number(row.changed), row.note)
    return shown


def plain_table(title: str, caption: str) -> Table:
    """A table without lines."""
    return Table(title=title, caption=caption, box=None, title_justify="left", caption_justify="left", title_style="bold", pad_edge=False)


def number(value: float | None) -> str:
    """Three places, or nothing."""
    return "" if value is None else f"{value:.3f}"
