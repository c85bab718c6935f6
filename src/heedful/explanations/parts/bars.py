"""Bars: one a row, its number written beside it; what is below zero has a colour of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.table import number


class Bar(NamedTuple):
    """What is measured, how much, and a word on it."""

    label: str
    value: float
    note: str = ""


def bars(rows: Sequence[Bar], caption: str, unit: str = "", full: float | None = None) -> Markup:
    """Bars from zero, on one scale; the whole width stands for `full`, the largest value by default.

    >>> "width:50.0%" in bars([Bar("a", 2.0), Bar("b", 1.0)], "two bars")
    True
    """
    top = full or max((abs(row.value) for row in rows), default=0.0) or 1.0
    lines = [
        element(
            "li",
            {},
            element("span", {"class": "name"}, row.label),
            element(
                "span",
                {"class": "track"},
                element("span", {"class": "bar below" if row.value < 0 else "bar", "style": f"width:{abs(row.value) / top:.1%}"}),
            ),
            element("span", {"class": "value"}, f"{number(row.value)} {unit}".strip(), element("small", {}, row.note) if row.note else ""),
        )
        for row in rows
    ]
    return element("figure", {"class": "bars"}, element("figcaption", {}, caption), element("ul", {}, join(*lines)))
