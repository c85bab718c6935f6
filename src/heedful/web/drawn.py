"""Templates and what they are filled with."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from heedful.errors import HeedfulError
from heedful.explanations.page import MOST
from heedful.version import __version__
from heedful.web.palette import palette, style
from heedful.web.parcel import numbers, parcel
from heedful.web.reading import Reading

HTMX: Final = "htmx.min.js"
VIEWS: Final = ("tools.js", "source.js", "tokens.js", "overlay.js", "matrix.js", "lines.js", "model.js", "steps.js", "reading.js")
ASKING: Final = ("compare.js", "draw.js", "record.js", "ask.js")
CAUTION: Final = "Attention shows where the model looked, never why it decided."
MADE: Final = " What was read to make a token is the row before it."
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
ROOM: Final = 1_100_000  # bytes of a saved page for its heads
ENVIRONMENT: Final = Environment(
    loader=PackageLoader("heedful.web"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def drawn(template: str, **values: Any) -> str:
    """A template filled in."""
    return ENVIRONMENT.get_template(template).render(values)


def page(template: str, links: Sequence[str], run: str | None = None, **values: Any) -> str:
    """A whole page; `links` are the names of all runs."""
    whole = {"view": "", **values, "run": run, "version": __version__, "palette": data(palette())}
    scripts = (HTMX, *VIEWS, *ASKING) if run else ()
    return drawn(template, links=[(name, name == run) for name in links], scripts=scripts, **whole)


def data(value: object) -> Markup:
    """JSON that may stand in a script element."""
    return Markup(json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def caution(reading: Reading) -> str:
    """What a reader of weights should know."""
    return CAUTION + (MADE if reading.start is not None else "")


def answer_of(record: Mapping[str, Any]) -> str:
    """An answer in a few words."""
    if "label" in record:
        return f"{record['label']} ({record['confidence']:.1%})".replace("%", " %")
    text = str(record.get("text", "")).strip() or "(nothing was written)"
    return text if len(text) <= 200 else f"{text[:199]}…"


def saved(run: str, reading: Reading) -> str:
    """A reading as a page in one file, that asks nobody for anything; heads of long texts are thinned until all fit.

    Errors: `HeedfulError` for a text so long that the page would be larger than pages may be.
    """
    heads = [(i, head) for i, each in enumerate(reading.maps) for head in range(each.weights.shape[0])]
    side = max(8, int((ROOM / 1.34 / max(1, len(heads))) ** 0.5))
    held = {numbers(i, head): text64(parcel(reading.head(i, head), side, size=1)) for i, head in heads}
    held["mean"] = text64(parcel(reading.head(None, None), max(side, 128), size=1))
    whole = drawn(
        "whole.html",
        run=run,
        answer=answer_of(reading.record),
        reading=reading,
        index=data(reading.index()),
        caution=caution(reading),
        palette=data(palette()),
        heads=data(held),
        css=Markup(style() + static("web.css")),
        js=Markup("\n".join(static(name) for name in VIEWS)),
        policy=POLICY,
        version=__version__,
    )
    if len(whole.encode("utf-8", "replace")) > MOST:
        raise HeedfulError(f"the page would have more than {MOST:,} bytes: a shorter text would work")
    return whole


def text64(content: bytes) -> str:
    """Bytes in base64."""
    return base64.b64encode(content).decode("ascii")


def static(name: str) -> str:
    """A script or style sheet of the page."""
    return (files("heedful.web") / "static" / name).read_text(encoding="utf-8")
