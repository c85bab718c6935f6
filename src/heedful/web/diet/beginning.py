"""The first two minutes: sources, sliders, ten items."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from heedful.diet.day.beginning import STARTER, ten
from heedful.diet.day.setting import SAYS, changed
from heedful.diet.day.today import wishes_of
from heedful.diet.day.wishes import SLIDERS
from heedful.diet.intake import opml
from heedful.diet.intake.recognise import recognised
from heedful.diet.store.rows import Source
from heedful.errors import HeedfulError
from heedful.web.diet.drawn import page
from heedful.web.diet.room import Room
from heedful.web.forms import Form, form_of


def beginning(room: Room) -> APIRouter:
    """From an empty store to the first edition."""
    router = APIRouter(default_response_class=HTMLResponse)

    @router.get("/start")
    def start() -> Response:
        return page("start.html", **asked(room, []))

    @router.post("/start")
    async def begun(request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(begin, room, form)

    @router.get("/start/ten")
    def rating() -> Response:
        return page("ten.html", items=ten(room.store, wishes_of(room.store), room.now()), wrong=failed(room))

    return router


def asked(room: Room, said: list[str]) -> dict[str, Any]:
    """What the first page asks."""
    wishes = vars(wishes_of(room.store))
    sliders = [(name, wishes[name], SAYS[name]) for name in SLIDERS]
    return {"sliders": sliders, "minutes": wishes["minutes"], "starter": STARTER, "said": said}


def begin(room: Room, form: Form) -> Response:
    """Keep the settings, follow the sources, ask them; or say what is wrong and ask again."""
    try:
        changed(room.store, [f"{name}={form[name]}" for name in ("minutes", *SLIDERS) if form[name]])
        sources = named(form["where"], room) + (list(STARTER) if form["starter"] else [])
    except HeedfulError as error:
        return page("start.html", status=400, **asked(room, [str(error)]))
    if not sources:
        return page("start.html", status=400, **asked(room, ["No source yet: a list of another reader, addresses, or the starter list."]))
    room.poll([room.store.add_source(source) for source in sources])
    return RedirectResponse("/start/ten", 303)


def named(where: str, room: Room) -> list[Source]:
    """Sources of an OPML list that was pasted, or of addresses, one a line."""
    if where.lstrip().startswith("<"):
        return opml.read(where.encode(), "the list")
    return [source for line in where.split() for source in recognised(line, room.manners.limits)]


def failed(room: Room) -> list[str]:
    """Sources that did not answer as they should."""
    return [f"{source.title or source.address}: {source.error}" for source in room.store.sources() if source.error]
