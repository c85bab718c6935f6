"""A page in one file: nothing is fetched, so it can be kept, sent and opened anywhere.

Light and dark, from a phone's width to a desk's, by pointer or by keyboard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, get_args

from heedful import atomic
from heedful.errors import HeedfulError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.shade import Scale, ramp
from heedful.version import __version__

MOST: Final = 2_000_000  # bytes of a page
HINT: Final = "Point at a map, a chart or a generated token to read it out; or reach it with Tab and use the arrow keys."
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, a word on what follows, and the parts."""

    title: str
    lead: str
    parts: Sequence[str]
    anchor: str


def page(title: str, lead: str, sections: Sequence[Section], foot: str = "", language: str = "en") -> str:
    """The whole page as text.

    >>> whole = page("Weights", "Where it looked.", [Section("One", "A map.", ["<script>"], "one")])
    >>> "&lt;script&gt;" in whole, "http://" in whole
    (True, False)
    """
    head = join(
        element("meta", {"charset": "utf-8"}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}),
        element("title", {}, title),
        element("style", {}, Markup(_asset("page.css") + _ramps())),
    )
    links = [element("li", {}, element("a", {"href": f"#{section.anchor}"}, section.title)) for section in sections]
    hint = element("p", {}, element("small", {}, HINT))
    body = join(
        element("header", {}, element("h1", {}, title), element("p", {"class": "lead"}, lead), hint),
        element("nav", {"aria-label": "Sections"}, element("ol", {}, *links)) if len(links) > 1 else "",
        element("main", {}, *(_section(section) for section in sections)),
        element("footer", {}, element("p", {}, foot) if foot else "", element("p", {}, f"Heedful {__version__}")),
        element("script", {}, join(_asset("page.js"), _asset("overlaid.js"))),
    )
    whole = element("html", {"lang": language}, element("head", {}, head), element("body", {}, body))
    return f"<!doctype html>\n{whole}\n"


def write(path: Path, whole: str) -> Path:
    """Write a page whole or not at all; one that is too large for a browser to like is refused."""
    data = whole.encode("utf-8", errors="replace")
    if len(data) > MOST:
        raise HeedfulError(f"the page {path} would have {len(data):,} bytes, more than {MOST:,}: a shorter text would work")
    atomic.write(path, data)
    return path


def _section(section: Section) -> Markup:
    lead = element("p", {"class": "lead"}, section.lead) if section.lead else ""
    return element("section", {"id": section.anchor}, element("h2", {}, section.title), lead, *section.parts)


def _ramps() -> str:
    return "".join(f".ramp.{scale}{{background:{ramp(scale)}}}" for scale in get_args(Scale))


def _asset(name: str) -> Markup:
    return Markup(files("heedful.explanations").joinpath(name).read_text(encoding="utf-8"))
