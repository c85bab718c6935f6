"""A table: numbers to the right, in figures of one width; on a phone a row of many cells becomes a block of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from heedful.explanations.markup import Markup, element, join

FIGURES: Final = re.compile(r"[+−-]?[\d,.]+( [%kMG])?")


def table(head: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> Markup:
    """Rows of cells: text, numbers (three significant figures), HTML, or None for an empty cell.

    >>> ">0.667</td>" in table(["name", "loss"], [["ours", 2 / 3]], "losses")
    True
    """
    titles = element("tr", {}, *(element("th", {"scope": "col", "class": _kind(rows, i)}, title) for i, title in enumerate(head)))
    body = [
        element("tr", {}, *(_cell(value, title, first=i == 0) for i, (value, title) in enumerate(zip(row, head, strict=True))))
        for row in rows
    ]
    parts = (element("caption", {}, caption), element("thead", {}, titles), element("tbody", {}, join(*body)))
    whole = element("table", {"class": "stack" if len(head) > 3 else None}, *parts)
    return element("div", {"class": "wide", "tabindex": 0, "role": "region", "aria-label": caption}, whole)


def number(value: float) -> str:
    """Three significant figures, thousands apart, no exponent between a thousandth and a billion.

    >>> number(1234567), number(0.012345), number(3.0), number(2e-7), number(0.0)
    ('1,234,567', '0.0123', '3.00', '2e-07', '0')
    """
    if isinstance(value, int) or value == 0:
        return f"{int(value):,}"
    if value != value or abs(value) == float("inf"):
        return str(value)
    if abs(value) < 1e-3 or abs(value) >= 1e9:
        return f"{value:.3g}"
    decimals = max(0, 2 - (len(str(int(abs(value)))) - 1)) if abs(value) >= 1 else 4 if abs(value) < 0.1 else 3
    return f"{value:,.{decimals}f}"


def _kind(rows: Sequence[Sequence[object]], column: int) -> str | None:
    """Numbers stand to the right, written out or not."""
    cells = [row[column] for row in rows if row[column] not in (None, "")]
    return "number" if column and cells and all(_numeric(cell) for cell in cells) else None


def _numeric(cell: object) -> bool:
    return bool(FIGURES.fullmatch(cell)) if isinstance(cell, str) else isinstance(cell, int | float) and not isinstance(cell, bool)


def _cell(value: object, title: str, first: bool) -> Markup:
    text = "" if value is None else value if isinstance(value, str) else number(value) if isinstance(value, int | float) else str(value)
    if first:
        return element("th", {"scope": "row"}, text)
    return element("td", {"class": "number" if value is not None and _numeric(value) else None, "data-label": title}, text)
