"""HTML as text that knows it is HTML: everything else is escaped on its way in."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

VOID: Final = frozenset({"br", "img", "input", "meta"})
NONE: Final[Mapping[str, object]] = {}


class Markup(str):
    """Text that is HTML already and goes in as it stands."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Plain text made safe; HTML stays as it is.

    >>> escape("a < b")
    'a &lt; b'
    >>> escape(Markup("<b>bold</b>"))
    '<b>bold</b>'
    """
    return text if isinstance(text, Markup) else Markup(html.escape(text))


def join(*parts: str) -> Markup:
    """Parts one after the other, each escaped unless it is HTML."""
    return Markup("".join(escape(part) for part in parts))


def element(name: str, attributes: Mapping[str, object] = NONE, *children: str) -> Markup:
    """An element; an attribute that is True stands bare, one that is None or False is left out.

    >>> element("p", {"class": "note", "hidden": True, "title": None}, "1 < 2")
    '<p class="note" hidden>1 &lt; 2</p>'
    """
    opening = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{opening}>")
    return Markup(f"<{name}{opening}>{join(*children)}</{name}>")


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'
