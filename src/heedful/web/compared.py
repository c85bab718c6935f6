"""Two of a kind side by side: heads, inputs, methods, or the model with and without its plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from heedful.errors import UsageError
from heedful.web.drawn import answer_of, caution, data, drawn
from heedful.web.forms import Form
from heedful.web.hall import Hall
from heedful.web.reasons import reason
from heedful.web.runs.run import Wanted
from heedful.web.station import Station

KINDS: Final = (("heads", "two heads"), ("inputs", "two inputs"), ("methods", "two methods"), ("plan", "with and without the plan"))
Side = dict[str, Any]


async def compared(hall: Hall, station: Station, form: Form) -> str:
    """What a form asks to compare; a difference is drawn where both sides read the same words."""
    wanted, what = form.wanted(hall, station), form["what"] or "heads"
    if what == "heads":
        one = await shown(station, wanted, "One head")
        sides = [{**one, "opened": "1.1"}, {**one, "title": "Another head", "opened": "1.2"}]
    elif what == "inputs":
        other = form.wanted(hall, station, "other")
        sides = [await shown(station, wanted, "One input"), await shown(station, other, "The other")]
    elif what == "plan":
        sides = [await shown(station, wanted, "Without the plan"), await shown(station, replace(wanted, planned=True), "With the plan")]
    elif what == "methods":
        sides = [await scored(station, wanted, form["one"]), await scored(station, wanted, form["two"])]
    else:
        raise UsageError(f"{what!r} cannot be compared: one of {', '.join(kind for kind, _ in KINDS)} would work")
    same = what != "methods" and sides[0]["reading"].texts == sides[1]["reading"].texts
    about = caution(sides[0]["reading"]) if what != "methods" else ""
    return drawn("compared.html", error=None, run=station.name, what=what, sides=sides, difference=same, caution=about)


async def shown(station: Station, wanted: Wanted, title: str) -> Side:
    """A side with the views of a reading."""
    name, reading = await station.look(wanted)
    if not reading.maps:
        raise UsageError(f"there are no heads to compare: {station.run.why_unread}")
    return {
        "title": title,
        "id": name,
        "reading": reading,
        "index": data(reading.index()),
        "answer": answer_of(reading.record),
        "reason": "",
        "opened": "mean",
    }


async def scored(station: Station, wanted: Wanted, method: str) -> Side:
    """A side with what counted by a method."""
    found = await station.line.call(lambda: station.run.reasons(wanted, method))
    return {"title": method, "reading": None, "answer": "", "reason": reason(found)}
