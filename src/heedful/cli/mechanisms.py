"""`heedful mechanisms`: the catalogue, read from the tables themselves."""

from __future__ import annotations

import json as text
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from heedful.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from heedful.cli.catalogue import Entry

FAMILIES = ("score", "mask", "position", "weighting", "feature map", "gate")


def mechanisms(*, family: str | None = None, json: Json = False) -> None:
    """The catalogue: every mechanism with its formula, source, cost, and the backends that serve it.

    Arguments:
        family: only this one: score, mask, position, weighting, feature-map or gate.
        json: a list of objects instead of tables.
    """
    from heedful.cli.catalogue import catalogue

    wanted = FAMILIES if family is None else (named(family),)
    entries = [entry for entry in catalogue() if entry.family in wanted]
    if json:
        print(text.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=2))
    else:
        show(entries)


def named(family: str) -> str:
    """The family that was meant; its plural will do."""
    from heedful.errors import unknown

    plain = family.replace("-", " ").replace("_", " ").removesuffix("s")
    if plain not in FAMILIES:
        raise unknown("family", family, FAMILIES)
    return plain


def show(entries: Sequence[Entry]) -> None:
    """One table a family, a few lines a mechanism, readable at 80 columns."""
    from rich.console import Console

    console = Console()
    for family, rows in groupby(entries, key=lambda entry: entry.family):
        console.print(table(family, list(rows)))


def table(family: str, rows: Sequence[Entry]) -> Table:
    """The rows of one family."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(
        title=f"{family}s ({len(rows)})", title_justify="left", title_style="bold", show_header=False, expand=False, pad_edge=False
    )
    shown.add_column(no_wrap=True, style="cyan")
    shown.add_column(overflow="fold")
    for row in rows:
        name = Text("\n".join([row.name, *row.aliases[:1]]))
        name.stylize("dim", len(row.name))
        shown.add_row(name, Text(row.formula).append("\n" + details(row), style="dim"))
    return shown


def details(row: Entry) -> str:
    """Source; cost and backends; the article's name: those that there are, a line each."""
    backends = f"on {', '.join(row.backends)}" if row.backends else ""
    spent = " · ".join(part for part in (row.cost and f"cost {row.cost}", backends) if part)
    article = row.article and f"article {row.article}"
    return "\n".join(line for line in (row.source, spent, article) if line)
