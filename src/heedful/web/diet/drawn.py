"""The reader's templates, and what each page is filled with."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from heedful.version import __version__

VIEWS: Final = (("today", "/", "Today"), ("search", "/search", "Search"), ("notes", "/notes", "Notes"), ("label", "/label", "Label"))
SETS: Final = (("sources", "/sources", "Sources"), ("settings", "/settings", "Settings"))
ENVIRONMENT: Final = Environment(
    loader=PackageLoader("heedful.web.diet"),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def drawn(template: str, **values: Any) -> str:
    """A template filled in."""
    return ENVIRONMENT.get_template(template).render(values | {"date": date, "linked": linked})


def page(template: str, view: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(drawn(template, view=view, views=VIEWS, sets=SETS, version=__version__, **values), status)


def part(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A piece of a page."""
    return HTMLResponse(drawn(template, **values), status)


def date(seconds: float) -> str:
    """A day, where this machine is."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d") if seconds else ""


def linked(address: str) -> bool:
    """Whether an address leads anywhere."""
    return address.startswith(("http://", "https://"))
