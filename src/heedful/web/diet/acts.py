"""What the reader does on the pages: says of items, reads, marks, changes settings and sources."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from heedful.diet.day.noting import add_highlight, add_note
from heedful.diet.day.saying import SAID, reasons, say
from heedful.diet.day.saying import read as done
from heedful.diet.day.setting import changed
from heedful.diet.intake.recognise import recognised
from heedful.diet.store.rows import Feedback
from heedful.errors import HeedfulError, UsageError
from heedful.web.diet.drawn import page, part
from heedful.web.diet.pages import read, wanted
from heedful.web.diet.room import Room
from heedful.web.forms import Form, form_of


def acts(room: Room) -> APIRouter:
    """What is done."""
    router = APIRouter(default_response_class=HTMLResponse)
    saying(router, room)
    noting(router, room)
    setting(router, room)
    return router


def saying(router: APIRouter, room: Room) -> None:
    """Words on items, by key or click, and the edition made anew."""

    @router.post("/item/{id}/say")
    async def said(id: int, request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(heard, room, id, form)

    @router.post("/item/{id}/read")
    async def was_read(id: int, request: Request) -> Response:
        form = await form_of(request)
        await run_in_threadpool(done, room.store, id, room.now(), number(form["minutes"] or "0"), form["begun"] != "1")
        return RedirectResponse("/", 303)

    @router.post("/item/{id}/opened")
    async def was_opened(id: int) -> Response:
        await run_in_threadpool(opened, room, id)
        return Response(status_code=204)

    @router.post("/today")
    async def anew(request: Request) -> Response:
        form = await form_of(request)
        await run_in_threadpool(room.edition, True, number(form["minutes"]) if form["minutes"] else None)
        return RedirectResponse("/", 303)


def heard(room: Room, id: int, form: Form) -> Response:
    """A word kept, and the item's row as it is now; of a word taken back (`undo`) nothing is kept."""
    if form["undo"]:
        for kind in ("worth", "not_worth", "less", "more", "later", "saved"):
            room.store.remove_feedback(id, kind)
        kind = ""
    else:
        kind = say(room.store, id, form["word"], room.now(), form["because"]).kind
    if form["bare"]:
        return part(
            "said.html", id=id, kind=kind, says=SAID.get(kind, ""), reasons=reasons(room.store, id) if kind in ("more", "less") else {}
        )
    entry = next((one for one in room.edition().entries if one.item.id == id), None)
    if entry is None:
        raise UsageError(f"item {id} is not in the edition of the day: its own page takes words on it")
    return part(
        "entry.html",
        entry=entry,
        said=SAID,
        ask=kind if kind in ("more", "less") and not form["because"] else "",
        reasons=reasons(room.store, id),
    )


def opened(room: Room, id: int) -> None:
    """Keep that an item was opened, once."""
    if not any(one.kind == "opened" for one in room.store.feedback(id)):
        room.store.add_feedback(Feedback(id, "opened", 0.0, room.now()))


def noting(router: APIRouter, room: Room) -> None:
    """Highlights and notes."""

    @router.post("/item/{id}/note")
    async def note(id: int, request: Request) -> Response:
        form = await form_of(request)

        def kept() -> Response:
            if form["quote"].strip():
                add_highlight(room.store, id, form["quote"], form["text"], room.now())
            else:
                add_note(room.store, id, form["text"], room.now())
            return part("body.html", **read(room, id))

        return await run_in_threadpool(answered, kept, "wrong.html")

    @router.post("/note/{id}/remove")
    async def remove(id: int) -> Response:
        def kept() -> Response:
            item = next((note.item for note in room.store.notes() if note.id == id), None)
            room.store.remove_note(id)
            assert item is not None  # remove_note refuses a number that is none
            return part("body.html", **read(room, item))

        return await run_in_threadpool(answered, kept, "wrong.html")


def setting(router: APIRouter, room: Room) -> None:
    """Settings and sources."""

    @router.post("/settings")
    async def settings(request: Request) -> Response:
        form = await form_of(request)

        def kept() -> Response:
            try:
                changed(room.store, [f"{name}={value}" for name, value in form.fields.items() if value.strip()])
            except HeedfulError as error:
                return page("settings.html", "settings", 400, **wanted(room, [str(error)]))
            return page("settings.html", "settings", **wanted(room, ["Kept. The next edition follows it."]))

        return await run_in_threadpool(kept)

    @router.post("/sources")
    async def add(request: Request) -> Response:
        form = await form_of(request)

        def kept() -> Response:
            said = []
            for line in form["where"].split():
                try:
                    added = [room.store.add_source(one) for one in recognised(line, room.manners.limits)]
                    new, wrong = room.poll(added)
                    said += [f"{added[0].title or line}: {new} new items", *wrong]
                except HeedfulError as error:
                    said.append(str(error))
            return page("sources.html", "sources", sources=room.store.sources(), said=said, now=room.now())

        return await run_in_threadpool(kept)

    @router.post("/sources/poll")
    async def poll() -> Response:
        def kept() -> Response:
            new, wrong = room.poll(room.store.sources(paused=False))
            return page("sources.html", "sources", sources=room.store.sources(), said=[f"{new} new items", *wrong], now=room.now())

        return await run_in_threadpool(kept)

    @router.post("/sources/{id}/remove")
    async def remove(id: int) -> Response:
        await run_in_threadpool(room.store.remove_source, id)
        return RedirectResponse("/sources", 303)


def answered(does: Callable[[], Response], template: str) -> Response:
    """What it gives, or the line that says why not."""
    try:
        return does()
    except HeedfulError as error:
        return part(template, 400, error=str(error))


def number(text: str) -> float:
    """A field's number."""
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{text!r} is no number") from None
