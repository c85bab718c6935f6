"""The quiet parts: a paragraph, key figures, a command to run, a passage of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from heedful.explanations.markup import Markup, element, join


class Figure(NamedTuple):
    """A number worth a glance, and what it is."""

    value: str
    label: str


def paragraph(text: str) -> Markup:
    """Plain words."""
    return element("p", {}, text)


def figures(shown: Sequence[Figure]) -> Markup:
    """Numbers in a row, large."""
    items = [element("div", {}, element("dd", {}, one.value), element("dt", {}, one.label)) for one in shown]
    return element("dl", {"class": "figures"}, join(*items))


def command(line: str) -> Markup:
    """A command that reproduces what stands above it."""
    return element("pre", {"class": "command", "tabindex": 0}, element("code", {}, line))


def passage(text: str, label: str) -> Markup:
    """A piece of text as it came, lines kept."""
    return element("figure", {"class": "passage"}, element("figcaption", {}, label), element("pre", {"tabindex": 0}, text))
