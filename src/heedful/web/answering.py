"""The parts of a page that answer: a text or a file with what was read of it, and what counted by a method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from heedful.errors import HeedfulError, UsageError
from heedful.tasks.task import Asked, Explanation, View
from heedful.web.api import on_disk, texts_of
from heedful.web.drawn import answer_of, caution, data, drawn
from heedful.web.forms import Form
from heedful.web.gather import Busy, Late
from heedful.web.hall import Hall
from heedful.web.reasons import read_of, reason
from heedful.web.runs.run import Upload, Wanted
from heedful.web.station import Station


async def answered(hall: Hall, station: Station, form: Form) -> str:
    """The answer to a form, and the views of what was read for it."""
    wanted = form.wanted(hall, station)
    texts_of(station)
    if not station.run.reads:
        record = (await station.predict([wanted.text], wanted.asked))[0]
        return drawn("plain.html", error=None, record=record, run=station.name, id=station.store.name(station.name, wanted))
    return await told_of(station, wanted)


async def told_of(station: Station, wanted: Wanted) -> str:
    """An answer with the views of what was read for it."""
    told: dict[str, Any] = {"run": station.name, "error": None, "why_unread": station.run.why_unread, "methods": station.run.methods}
    id, reading = await station.look(wanted)
    before = (await station.look(replace(wanted, silent=())))[1] if wanted.silent else None
    was = answer_of(before.record) if before else ""
    return drawn(
        "answer.html",
        **told,
        id=id,
        answer=answer_of(reading.record),
        reading=reading,
        before=before,
        was=was,
        changed=was != answer_of(reading.record),
        silent=", ".join(f"layer {layer + 1} head {head + 1}" for layer, head in wanted.silent),
        notes=[*reading.notes, *(["The text is longer than what is read of it."] if reading.record.get("cut") else [])],
        index=data(reading.index()),
        caution=caution(reading),
        reason=reason(read_of(reading)) if reading.counted else "",
    )


async def brought(station: Station, wanted: Wanted) -> str:
    """The answer to a file, and the views of what was read of it, or what its task says that it rests on."""
    assert wanted.file is not None
    refuse(station, wanted.file)
    if station.run.reads:
        return await told_of(station, wanted)
    record = (await on_disk(wanted.file.content, wanted.file.name, lambda path: station.predict([path], Asked())))[0]
    return drawn("plain.html", error=None, record=record, run=station.name, id=station.store.name(station.name, wanted))


def refuse(station: Station, file: Upload) -> None:
    """Refuse a file where texts are read, and an empty one."""
    if station.run.takes == "text":
        raise UsageError(f"the run {station.name} reads texts: a text in the field would work")
    if not file.content:
        raise UsageError(f"{file.name} is empty: another file would work")


async def kept(station: Station, file: Upload) -> str:
    """What a file is called from now on, that is brought to be compared."""
    refuse(station, file)
    return station.store.name(station.name, Wanted("", file=file))


async def rests(station: Station, wanted: Wanted, view: View) -> Explanation:
    """What an answer rests on, as its task explains it."""
    if wanted.file is None:
        return await station.explain(wanted.text, wanted.asked if station.run.goes_on else Asked(), view)
    return await on_disk(wanted.file.content, wanted.file.name, lambda path: station.explain(path, Asked(), view))


async def reasoned(station: Station, name: str, method: str) -> Markup:
    """What counted in a reading, by a method; by what was read where none is named."""
    reading = await station.read(name)
    if not method and reading.counted:
        return reason(read_of(reading))
    wanted = station.store.wanted(name)
    found = await station.line.call(lambda: station.run.reasons(wanted, method))
    return reason(found)


def refused(template: str, error: HeedfulError) -> Response:
    """A part of a page that says why it is not there."""
    status = {Busy: 429, Late: 504}.get(type(error), 400)
    headers = {"Retry-After": str(error.after)} if isinstance(error, Busy) else None
    return HTMLResponse(drawn(template, error=str(error)), status, headers)
