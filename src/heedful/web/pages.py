"""The pages: ask and see what was read, compare, and the API in examples."""

from __future__ import annotations

import hmac
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from heedful.errors import HeedfulError
from heedful.tasks.task import View
from heedful.web.answering import answered, brought, kept, reasoned, refused, rests
from heedful.web.compared import KINDS, compared, lacking
from heedful.web.drawn import POLICY, page, saved
from heedful.web.forms import Form, form_of
from heedful.web.guard import COOKIE, pass_of
from heedful.web.hall import Hall
from heedful.web.palette import scripts, style
from heedful.web.parcel import parcel, place, small
from heedful.web.runs.run import Upload, Wanted
from heedful.web.station import Station

KEPT: Final = {"Cache-Control": "private, max-age=3600, immutable"}  # a reading's name is what was asked, so it never changes

ALONE: Final = {"Content-Security-Policy": POLICY}  # a page in one file brings its own scripts


def pages(hall: Hall, token: str | None) -> APIRouter:
    """The pages of these runs."""
    router = APIRouter(default_response_class=HTMLResponse)
    entrance(router, hall, token)
    asking(router, hall, token)
    comparing(router, hall)
    looking(router, hall)
    return router


def entrance(router: APIRouter, hall: Hall, token: str | None) -> None:
    """The way in: the list of runs, the house's style, and the door where there is a token."""
    links = list(hall.stations)

    @router.get("/")
    async def first() -> Response:
        if len(links) == 1:
            return RedirectResponse(f"/run/{links[0]}", 303)
        return HTMLResponse(page("runs.html", links, runs=[station.about() for station in hall.stations.values()]))

    @router.get("/house.css")
    async def house() -> Response:
        return Response(style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    @router.get("/house.js")
    async def hands() -> Response:
        return Response(scripts(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"})

    @router.get("/enter")
    async def enter() -> str:
        return page("enter.html", [], wrong=False)

    @router.post("/enter")
    async def entered(request: Request) -> Response:
        given = (await form_of(request))["token"]
        if token is None or not hmac.compare_digest(given.encode(), token.encode()):
            return HTMLResponse(page("enter.html", [], wrong=True), 401)
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, pass_of(token), httponly=True, samesite="strict", max_age=30 * 86_400)
        return response


def asking(router: APIRouter, hall: Hall, token: str | None) -> None:
    """The pages of one run: asking it, and its doors for programs."""
    links = list(hall.stations)

    @router.get("/run/{run}")
    async def ask(run: str, text: str = "", second: str = "") -> str:
        station = hall.station(run)
        shown = {"about": station.about(), "goes_on": station.run.goes_on, "by_hand": station.run.by_hand, "most": hall.limits.tokens}
        return page("ask.html", links, run, view="ask", text=text, second=second, **shown)

    @router.post("/run/{run}/answer")
    async def answer(run: str, request: Request) -> Response:
        station = hall.station(run)
        try:
            return HTMLResponse(await answered(hall, station, await form_of(request)))
        except HeedfulError as error:
            return refused("answer.html", error)

    @router.post("/run/{run}/answer/file")
    async def answer_file(run: str, request: Request, name: str = "file", silent: str = "") -> Response:
        station = hall.station(run)
        try:
            wanted = Wanted("", file=Upload(name[:200], await request.body()), silent=Form({"silent": silent}).silent)
            return HTMLResponse(await brought(station, wanted))
        except HeedfulError as error:
            return refused("answer.html", error)

    @router.post("/run/{run}/reason")
    async def why(run: str, request: Request) -> Response:
        station, form = hall.station(run), await form_of(request)
        try:
            return HTMLResponse(await reasoned(station, form["reading"], form["method"]))
        except HeedfulError as error:
            return refused("reason.html", error)

    @router.get("/run/{run}/api")
    async def about_api(run: str, request: Request) -> str:
        station = hall.station(run)
        shown = {"examples": examples(station, str(request.base_url).rstrip("/")), "token": token is not None}
        return page("api.html", links, run, view="api", **shown)


def comparing(router: APIRouter, hall: Hall) -> None:
    """Two of a kind side by side, and the files that are brought for it."""
    links = list(hall.stations)

    @router.post("/run/{run}/bring")
    async def bring(run: str, request: Request, name: str = "file") -> Response:
        try:
            return JSONResponse({"id": await kept(hall.station(run), Upload(name[:200], await request.body()))})
        except HeedfulError as error:
            return JSONResponse({"error": str(error)}, 400)

    @router.get("/run/{run}/compare")
    async def compare(run: str, text: str = "") -> str:
        station = hall.station(run)
        missing = lacking(station)
        kinds = [kind for kind in KINDS if kind[0] not in missing]
        reasons = [(words, missing[kind]) for kind, words in KINDS if kind in missing]
        shown = {"about": station.about(), "by_hand": station.run.by_hand, "methods": station.run.methods}
        return page("compare.html", links, run, view="compare", text=text, kinds=kinds, reasons=reasons, **shown)

    @router.post("/run/{run}/compare")
    async def both(run: str, request: Request) -> Response:
        station = hall.station(run)
        try:
            return HTMLResponse(await compared(hall, station, await form_of(request)))
        except HeedfulError as error:
            return refused("compared.html", error)


def looking(router: APIRouter, hall: Hall) -> None:
    """What was read for an answer: whole pages, and heads one by one as they are looked at."""

    @router.get("/run/{run}/reading/{name}/page.html")
    async def whole(run: str, name: str) -> Response:
        return HTMLResponse(saved(run, await hall.station(run).read(name)), headers=ALONE)

    @router.get("/run/{run}/explained/{name}")
    async def explained(run: str, name: str, method: str | None = None) -> Response:
        station = hall.station(run)
        return HTMLResponse((await rests(station, station.store.wanted(name), View(method=method or None))).page, headers=ALONE)

    @router.get("/run/{run}/reading/{name}/small/{layer}")
    async def pictures(run: str, name: str, layer: int) -> Response:
        reading = await hall.station(run).read(name)
        if not 0 <= layer < len(reading.maps):
            return JSONResponse({"error": f"layer {layer + 1}: the model has {len(reading.maps)}"}, 404)
        return Response(small(reading.maps[layer]), media_type="application/octet-stream", headers=KEPT)

    @router.get("/run/{run}/reading/{name}/head/{head}")
    async def one(run: str, name: str, head: str) -> Response:
        reading = await hall.station(run).read(name)
        return Response(parcel(reading.head(*place(head))), media_type="application/octet-stream", headers=KEPT)


def examples(station: Station, base: str) -> list[tuple[str, str]]:
    """Calls that work, to be copied."""
    run, post = station.name, "curl -s -H 'Content-Type: application/json'"
    if station.run.takes == "file":
        return [("An answer", f"curl -s --data-binary @FILE '{base}/predict/file?run={run}&name=FILE'")]
    found = [
        ("Answers", post + f""" -d '{{"run": "{run}", "inputs": ["one text", "another"]}}' {base}/predict"""),
        ("An answer explained", post + f""" -d '{{"run": "{run}", "input": "one text"}}' {base}/explain"""),
    ]
    if station.run.goes_on:
        found.append(
            (
                "A text as it comes",
                f"""curl -sN -H 'Content-Type: application/json' -d '{{"run": "{run}", "input": "The"}}' {base}/generate""",
            )
        )
    return found
