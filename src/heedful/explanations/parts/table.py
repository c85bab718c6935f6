"""A table: numbers to the right, in figures of one width; a wide one scrolls inside its own box."""

from __future__ import annotations

from collections.abc import Sequence

from heedful.explanations.markup import Markup, element, join


def table(head: Sequence[str], rows: Sequence[Sequence[object]], caption: str) -> Markup:
    """Rows of cells: text, numbers (three significant figures), HTML, or None for an empty cell.

    >>> "<td class=\\"number\\">0.667</td>" in table(["name", "loss"], [["ours", 2 / 3]], "losses")
    True
    """
    titles = element("tr", {}, *(element("th", {"scope": "col", "class": _kind(rows, i)}, title) for i, title in enumerate(head)))
    body = [element("tr", {}, *(_cell(value, first=i == 0) for i, value in enumerate(row))) for row in rows]
    whole = element("table", {}, element("caption", {}, caption), element("thead", {}, titles), element("tbody", {}, join(*body)))
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
    return "number" if rows and isinstance(rows[0][column], int | float) else None


def _cell(value: object, first: bool) -> Markup:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return element("td", {"class": "number"}, number(value))
    text = "" if value is None else value if isinstance(value, str) else str(value)
    return element("th", {"scope": "row"}, text) if first else element("td", {}, text)
