"""The pages that show: the edition, an item to read, search, the label, notes, sources, settings."""

from __future__ import annotations

import hmac
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from heedful.diet.day.asking import why
from heedful.diet.day.gathered import named
from heedful.diet.day.noting import spans
from heedful.diet.day.saying import SAID
from heedful.diet.day.serving import verdict
from heedful.diet.day.setting import flat
from heedful.diet.day.today import wishes_of
from heedful.diet.day.wishes import SLIDERS
from heedful.diet.intake.reading import learnt, minutes
from heedful.diet.label.label import PERIODS, label
from heedful.diet.label.picture import svg
from heedful.diet.store.rows import Which
from heedful.errors import HeedfulError
from heedful.web.diet.drawn import page, part
from heedful.web.diet.room import Room
from heedful.web.forms import form_of
from heedful.web.guard import COOKIE, pass_of
from heedful.web.palette import style

PAGE = 20  # hits at once


def pages(room: Room, token: str | None) -> APIRouter:
    """What is looked at."""
    router = APIRouter(default_response_class=HTMLResponse)
    entrance(router, token)
    reading(router, room)
    looking(router, room)
    return router


def entrance(router: APIRouter, token: str | None) -> None:
    """The house's style, and the door where there is a token."""

    @router.get("/house.css")
    def house() -> Response:
        return Response(style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @router.get("/health")
    def health() -> Response:
        return Response("ok", media_type="text/plain")

    @router.get("/enter")
    def enter() -> Response:
        return page("enter.html", wrong=False)

    @router.post("/enter")
    async def entered(request: Request) -> Response:
        given = (await form_of(request))["token"]
        if token is None or not hmac.compare_digest(given.encode(), token.encode()):
            return page("enter.html", status=401, wrong=True)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, pass_of(token), httponly=True, samesite="strict", max_age=30 * 86_400)
        return response


def reading(router: APIRouter, room: Room) -> None:
    """The edition, an item, and why it is there."""

    @router.get("/")
    def first() -> Response:
        if not room.store.sources():
            return RedirectResponse("/start", 303)
        found = room.edition()
        done = sum(entry.shown.minutes for entry in found.entries if entry.done)
        return page("today.html", "today", found=found, done=done, said=SAID, verdict=verdict(room.store))

    @router.get("/item/{id}")
    def item(id: int) -> Response:
        return page("item.html", "today", **read(room, id))

    @router.get("/item/{id}/why")
    def reason(id: int) -> Response:
        return part("why.html", found=why(room.store, id, room.now()))


def read(room: Room, id: int) -> dict[str, Any]:
    """What the page of an item shows."""
    one = room.store.item(id)
    notes = room.store.notes(id)
    body = one.text or one.summary
    return {
        "item": one,
        "source": named([room.store.source(one.source)])[one.source],
        "minutes": minutes(one, learnt(room.store)),
        "spans": spans(body, notes),
        "notes": notes,
        "said": [SAID[kind] for kind in dict.fromkeys(said.kind for said in room.store.feedback(id))],
        "others": [other for other in room.store.story(one.story) if other.id != id],
    }


def looking(router: APIRouter, room: Room) -> None:
    """Search, the label, notes, sources, settings."""

    @router.get("/search")
    def search(q: str = "", page_: int = 0) -> Response:
        return page("search.html", "search", **hits(room, q, page_))

    @router.get("/search/hits")
    def more(q: str = "", page_: int = 0) -> Response:
        return part("hits.html", **hits(room, q, page_))

    @router.get("/label")
    def made_of(period: str = "day") -> Response:
        found = label(room.store, period if period in PERIODS else "day", room.now())
        return page("label.html", "label", found=found, periods=PERIODS, picture=Markup(svg(found)))

    @router.get("/notes")
    def notes() -> Response:
        every = room.store.notes()[::-1]
        items = {one.id: one for one in room.store.items(Which(ids=list({note.item for note in every})))}
        return page("notes.html", "notes", notes=every, items=items)

    @router.get("/sources")
    def sources() -> Response:
        return page("sources.html", "sources", sources=room.store.sources(), said=[], now=room.now())

    @router.get("/settings")
    def settings() -> Response:
        return page("settings.html", "settings", **wanted(room, []))


def hits(room: Room, q: str, page_: int) -> dict[str, Any]:
    """What a search finds; nothing for no words."""
    found, wrong = [], ""
    if q.strip():
        try:
            found = room.store.search(q, limit=PAGE + 1, offset=PAGE * max(page_, 0))
        except HeedfulError as error:
            wrong = str(error)
    return {"q": q, "page_": max(page_, 0), "hits": found[:PAGE], "more": len(found) > PAGE, "wrong": wrong}


def wanted(room: Room, said: list[str]) -> dict[str, Any]:
    """What the settings page shows."""
    wishes = wishes_of(room.store)
    every = flat(wishes)
    topics = sorted({item.topic for item in room.store.items(Which(limit=2000)) if item.topic} | set(wishes.targets))
    return {
        "sliders": [(name, value, says) for name, value, says in every if name in SLIDERS],
        "plain": [(name, value, says) for name, value, says in every if name in ("minutes", "worth")],
        "reward": [(name, value, says) for name, value, says in every if name.startswith("reward.")],
        "targets": [(topic, wishes.targets.get(topic, 0.0)) for topic in topics[:40]],
        "verdict": verdict(room.store),
        "pace": learnt(room.store).factor,
        "said": said,
    }
