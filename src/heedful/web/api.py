"""The doors of the API: predict, explain, generate, and what the server says of itself."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from heedful.errors import DataError, HeedfulError, UsageError
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.version import __version__
from heedful.web.bodies import About, ExplainBody, Explained, GenerateBody, Generated, Health, PredictBody, Predicted, Refusal
from heedful.web.hall import Hall
from heedful.web.station import Station

T = TypeVar("T")
NAMES: Final[Mapping[int, str]] = {
    400: "what was asked cannot be done",
    401: "a token is needed",
    413: "too large",
    422: "not of the form that is asked for",
    429: "too much waits already; Retry-After says for how many seconds",
    504: "no answer within the server's timeout",
}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {code: {"model": Refusal, "description": why} for code, why in NAMES.items()}
FREE: Final[dict[int | str, dict[str, Any]]] = {401: REFUSALS[401]}
EVENTS: Final = {"text/event-stream": {"schema": {"type": "string"}}}


def api(hall: Hall) -> APIRouter:
    """The doors, of these runs."""
    router = APIRouter()
    about(router, hall)
    answering(router, hall)
    explaining(router, hall)
    going_on(router, hall)
    return router


def about(router: APIRouter, hall: Hall) -> None:
    """The doors that tell of the server."""

    @router.get("/health", tags=["server"])
    async def health() -> Health:
        """Whether the server answers, and for which runs; needs no token."""
        return Health(status="ok", version=__version__, runs=list(hall.stations))

    @router.get("/metrics", tags=["server"], response_class=PlainTextResponse, responses=FREE)
    async def metrics() -> Response:
        """What has been served, as Prometheus reads it."""
        return PlainTextResponse(hall.metrics.text(hall.waiting()), media_type="text/plain; version=0.0.4")

    @router.get("/runs", tags=["server"], responses=FREE)
    async def runs() -> list[About]:
        """The runs that are served."""
        return [About.model_validate(dict(station.about())) for station in hall.stations.values()]


def answering(router: APIRouter, hall: Hall) -> None:
    """The doors for answers."""

    @router.post("/predict", tags=["answers"], response_model=Predicted, responses=REFUSALS)
    async def predict(body: PredictBody) -> Response:
        """An answer for each input; inputs of many clients are answered in one forward."""
        station = texts_of(hall.station(body.run))
        if len(body.inputs) > hall.limits.inputs:
            raise UsageError(f"{len(body.inputs)} inputs are more than the {hall.limits.inputs} of one request: fewer would work")
        answers = await station.predict(body.inputs, hall.asked(station, body.drawing))
        return JSONResponse({"run": station.name, "answers": [dict(answer) for answer in answers]})  # of this form, so not checked again

    @router.post("/predict/file", tags=["answers"], responses=REFUSALS, openapi_extra={"requestBody": {"content": {"*/*": {}}}})
    async def predict_file(
        request: Request,
        run: Annotated[str | None, Query(max_length=200)] = None,
        name: Annotated[str, Query(max_length=200, description="the file's name, whose ending says what it is")] = "input",
    ) -> Predicted:
        """An answer for the contents of one file, sent as they are."""
        station, content = hall.station(run), await request.body()
        if station.run.takes == "text":
            answers = await station.predict([as_text(content)], hall.asked(station, None))
        else:
            answers = await on_disk(content, name, lambda path: answered(station, path, name))
        return Predicted(run=station.name, answers=[dict(answer) for answer in answers])


def explaining(router: APIRouter, hall: Hall) -> None:
    """The doors for what an answer rests on."""

    @router.post("/explain", tags=["answers"], responses=REFUSALS)
    async def explain(body: ExplainBody) -> Explained:
        """An answer, and what it rests on as its task explains it."""
        station = texts_of(hall.station(body.run))
        found = await station.explain(body.input, hall.asked(station, body.drawing), body.view())
        return Explained(run=station.name, explanation=dict(found.record), page=found.page if body.page else None)

    @router.post("/explain/file", tags=["answers"], responses=REFUSALS, openapi_extra={"requestBody": {"content": {"*/*": {}}}})
    async def explain_file(
        request: Request,
        run: Annotated[str | None, Query(max_length=200)] = None,
        name: Annotated[str, Query(max_length=200, description="the file's name, whose ending says what it is")] = "input",
        page: Annotated[bool, Query(description="with the self-contained HTML page")] = False,
    ) -> Explained:
        """An answer for the contents of one file, sent as they are, and what it rests on."""
        station, content = hall.station(run), await request.body()
        if station.run.takes == "text":
            found = await station.explain(as_text(content), hall.asked(station, None), View())
        else:
            found = await on_disk(content, name, lambda path: explained(station, path, name))
        return Explained(run=station.name, explanation=dict(found.record), page=found.page if page else None)


def going_on(router: APIRouter, hall: Hall) -> None:
    """The door for continuations."""

    @router.post(
        "/generate",
        tags=["answers"],
        response_model=Generated,
        responses={**REFUSALS, 200: {"description": "events `token` and, at the end, `done`; or one object", "content": EVENTS}},
    )
    async def generate(body: GenerateBody) -> Response:
        """A continuation, streamed as it is made: events `token` {"text"}, then `done` {"run", "answer"} or `error` {"error"}."""
        station = hall.station(body.run)
        if not station.run.goes_on:
            raise UsageError(f"the run {station.name} is of the task {station.run.task}, which goes on with no text: /predict would work")
        asked = hall.asked(station, body)
        if body.stream:
            answer = await station.open(body.input, asked)
            return StreamingResponse(events(station, answer), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        return JSONResponse({"run": station.name, "answer": dict((await station.predict([body.input], asked))[0])})


async def events(station: Station, answer: Answer) -> AsyncIterator[str]:
    """A continuation as server-sent events; what goes wrong on the way is an event too."""
    try:
        async for piece in station.pieces(answer):
            yield event("token", {"text": piece})
        yield event("done", {"run": station.name, "answer": dict(await station.recorded(answer))})
    except HeedfulError as error:
        yield event("error", {"error": str(error)})


def event(name: str, data: Mapping[str, Any]) -> str:
    """One event, in the form of the HTML standard's event streams."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def texts_of(station: Station) -> Station:
    """The run, if its inputs are texts: of no other may a client say what is read."""
    if station.run.takes == "file":
        raise UsageError(f"the run {station.name} reads files: their contents, sent to /predict/file, would work")
    return station


def as_text(content: bytes) -> str:
    """A file's text; `UsageError` for what is none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"the file is no text in UTF-8 (byte {error.start:,}): a text file would work") from None


async def answered(station: Station, path: str, name: str) -> list[Record]:
    """The answer for a file that is called `name` wherever it is told of."""
    return [called(record, path, name) for record in await station.predict([path], Asked())]


async def explained(station: Station, path: str, name: str) -> Explanation:
    """The same with what it rests on."""
    found = await station.explain(path, Asked(), View())
    return replace(found, record=called(found.record, path, name), page=found.page.replace(path, escape(name)))


def called(record: Record, path: str, name: str) -> Record:
    """A record in which a file has its client's name, not the one it was read under."""
    return {key: name if value == path else value for key, value in record.items()}


async def on_disk(content: bytes, name: str, ask: Callable[[str], Awaitable[T]]) -> T:
    """What is asked of contents that are read as a file, which is gone afterwards; errors name it as the client did."""
    ending = "".join(sign for sign in Path(name).suffix if sign.isalnum() or sign == ".")[:12]
    handle, path = tempfile.mkstemp(suffix=ending, prefix="heedful-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return await ask(path)
    except (UsageError, DataError) as error:
        raise UsageError(str(error).replace(path, name)) from None
    finally:
        Path(path).unlink(missing_ok=True)
