"""The server put together: runs, doors, pages, and what is said when something cannot be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from heedful.errors import HeedfulError, UsageError
from heedful.version import __version__
from heedful.web.api import api
from heedful.web.gather import Busy, Late
from heedful.web.guard import Guard
from heedful.web.hall import Hall
from heedful.web.pages import pages

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def build(hall: Hall, token: str | None = None, hosts: frozenset[str] | None = None) -> FastAPI:
    """The application of these runs.

    Arguments:
        token: what clients must bring; None lets everyone in.
        hosts: names under which it may be called; None for any.
    """

    @asynccontextmanager
    async def open_(app: FastAPI) -> AsyncIterator[None]:
        for station in hall.stations.values():
            station.line.start()
        yield
        for station in hall.stations.values():
            await station.line.stop()

    app = FastAPI(title="Heedful", version=__version__, docs_url=None, redoc_url=None, lifespan=open_, description=ABOUT)
    app.include_router(api(hall))
    app.include_router(pages(hall, token), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("heedful.web") / "static")), "static")
    app.add_middleware(Guard, token=token, most=hall.limits.body, hosts=hosts, metrics=hall.metrics)
    app.add_exception_handler(HeedfulError, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, missed)
    return app


ABOUT: Final = "Attention models, their answers, and where they looked. Refusals are one line that says what would work."


async def refused(request: Request, error: Exception) -> JSONResponse:
    """What of ours went wrong, with the status that fits it."""
    if isinstance(error, Busy):
        return JSONResponse({"error": str(error)}, 429, {"Retry-After": str(error.after)})
    status = 504 if isinstance(error, Late) else 400 if isinstance(error, UsageError) else 500
    return JSONResponse({"error": " ".join(str(error).split())}, status)


async def malformed(request: Request, error: Exception) -> JSONResponse:
    """The first field that is not as it should be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if part != "body")
    return JSONResponse({"error": f"{place}: {first['msg']}" if place else str(first["msg"])}, 422)


async def missed(request: Request, error: Exception) -> JSONResponse:
    """No such door, or not by this method."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": f"{request.method} {request.url.path}: {error.detail}"}, error.status_code, error.headers)
