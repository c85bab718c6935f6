"""Two of a kind side by side: heads, inputs, methods, or the model with and without its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from heedful.errors import UsageError
from heedful.explanations.methods.table import AUTO
from heedful.web.api import on_disk
from heedful.web.drawn import answer_of, caution, data, drawn
from heedful.web.forms import Form
from heedful.web.hall import Hall
from heedful.web.reading import Reading
from heedful.web.reasons import reason
from heedful.web.runs.run import Wanted
from heedful.web.station import Station

KINDS: Final = (("heads", "two heads"), ("inputs", "two inputs"), ("methods", "two methods"), ("plan", "with and without the plan"))
UNPLANNED: Final = (
    "the run is served without one: heedful serve RUN --plan PLAN would work, with what heedful plan wrote (classify, generate), "
    "or heedful.plan made of its model (all others)"
)
ALONE: Final = "the model has one head, and none beside it"
Side = dict[str, Any]


def lacking(station: Station) -> Mapping[str, str]:
    """What of a run cannot be compared, and why."""
    run, facts = station.run, station.run.facts()
    found = {}
    if not run.reads or run.why_unread is not None:
        found["heads"] = run.why_unread or ""
    elif facts.get("layers") == 1 and facts.get("heads") == 1:
        found["heads"] = ALONE
    if not run.methods:
        found["methods"] = run.why_unread or ""
    if not facts.get("planned"):
        found["plan"] = run.why_unplanned or UNPLANNED
    return found


async def compared(hall: Hall, station: Station, form: Form) -> str:
    """What a form asks to compare; a difference is drawn where both sides read the same words."""
    wanted, what = form.wanted(hall, station), form["what"] or "heads"
    if what not in dict(KINDS):
        raise UsageError(f"{what!r} cannot be compared: one of {', '.join(kind for kind, _ in KINDS)} would work")
    if what in lacking(station):
        raise UsageError(f"{dict(KINDS)[what]} cannot be compared: {lacking(station)[what]}")
    sides = await SIDES[what](hall, station, form, wanted)
    readings = [side["reading"] for side in sides]
    same = all(readings) and alike(readings)
    about = caution(readings[0]) if readings[0] is not None else ""
    return drawn("compared.html", error=None, run=station.name, what=what, sides=sides, difference=same, caution=about)


async def two_heads(hall: Hall, station: Station, form: Form, wanted: Wanted) -> list[Side]:
    """One reading, opened twice."""
    one = await shown(station, wanted, "One head")
    if len(one["heads"]) < 2:
        raise UsageError(f"two heads cannot be compared: {ALONE}")
    first, second = one["heads"][:2]
    return [{**one, "opened": first}, {**one, "title": "Another head", "opened": second}]


async def two_inputs(hall: Hall, station: Station, form: Form, wanted: Wanted) -> list[Side]:
    """A reading of each."""
    other = form.wanted(hall, station, "other")
    return [await shown(station, wanted, "One input"), await shown(station, other, "The other")]


async def two_plans(hall: Hall, station: Station, form: Form, wanted: Wanted) -> list[Side]:
    """The same input twice."""
    return [await shown(station, wanted, "Without the plan"), await shown(station, replace(wanted, planned=True), "With the plan")]


async def two_methods(hall: Hall, station: Station, form: Form, wanted: Wanted) -> list[Side]:
    """What counted by each."""
    return [await scored(station, wanted, form[name]) for name in ("one", "two")]


SIDES: Final = {"heads": two_heads, "inputs": two_inputs, "plan": two_plans, "methods": two_methods}
NOTHING: Final[Side] = {"id": "", "reading": None, "answer": "", "reason": "", "opened": "mean", "heads": (), "record": None, "method": ""}


async def shown(station: Station, wanted: Wanted, title: str) -> Side:
    """A side with the views of a reading, or, where it has no heads, with what counted; of other tasks their own page."""
    if not station.run.reads:
        return {**NOTHING, "title": title, **await told(station, wanted)}
    name, reading = await station.look(wanted)
    side = {**NOTHING, "title": title, "id": name, "answer": answer_of(reading.record)}
    if not reading.maps:
        return {**side, "reason": reason(await station.line.call(lambda: station.run.reasons(wanted, AUTO)))}
    heads = [f"{i}.{head + 1}" for i, each in enumerate(reading.maps, start=1) for head in range(len(each.weights))]
    return {**side, "reading": reading, "index": data(reading.index()), "heads": heads}


async def scored(station: Station, wanted: Wanted, method: str) -> Side:
    """A side with what counted by a method."""
    if not station.run.reads:
        return {**NOTHING, "title": method, **await told(station, wanted), "method": method}
    found = await station.line.call(lambda: station.run.reasons(wanted, method))
    return {**NOTHING, "title": method, "reason": reason(found)}


async def told(station: Station, wanted: Wanted) -> Side:
    """The record of an answer, and the name under which its explanation is asked for."""
    name = station.store.name(station.name, wanted)
    if wanted.file is None:
        return {"id": name, "record": (await station.predict([wanted.text], wanted.asked))[0]}
    found = await on_disk(wanted.file.content, wanted.file.name, lambda path: station.predict([path], wanted.asked))
    return {"id": name, "record": {**found[0], **({"image": wanted.file.name} if "image" in found[0] else {})}}


def alike(readings: list[Reading]) -> bool:
    """Whether both sides read the same words, or cells of a picture of one size."""
    one, other = readings
    return one.texts == other.texts
