"""The reader's server put together: its store, its pages, its doors for programs, and sources asked in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from heedful.errors import HeedfulError
from heedful.version import __version__
from heedful.web.app import malformed, missed, refused
from heedful.web.diet.acts import acts
from heedful.web.diet.api import api
from heedful.web.diet.beginning import beginning
from heedful.web.diet.pages import pages
from heedful.web.diet.room import Room
from heedful.web.guard import Guard
from heedful.web.metrics import Metrics

BODY: Final = 4_194_304  # bytes of a request; an OPML list of ten thousand feeds has two million
ABOUT: Final = "A reader's minutes: the day's edition, its reasons, feedback, search, and what the minutes went to."


def build(room: Room, token: str | None = None, hosts: frozenset[str] | None = None, every: float = 0.0) -> FastAPI:
    """The application of one reader's store.

    Arguments:
        token: what clients must bring; None lets everyone in.
        hosts: names under which it may be called; None for any.
        every: minutes after which due sources are asked again; 0 for never.
    """

    @asynccontextmanager
    async def open_(app: FastAPI) -> AsyncIterator[None]:
        asking = asyncio.create_task(asked(room, every)) if every else None
        yield
        if asking is not None:
            room.stopped.set()
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking

    app = FastAPI(title="Heedful diet", version=__version__, docs_url=None, redoc_url=None, lifespan=open_, description=ABOUT)
    app.include_router(api(room))
    for router in (pages(room, token), beginning(room), acts(room)):
        app.include_router(router, include_in_schema=False)
    app.mount("/static/diet", StaticFiles(directory=str(files("heedful.web.diet") / "static")), "reader")
    app.mount("/static", StaticFiles(directory=str(files("heedful.web") / "static")), "static")
    app.add_middleware(Guard, token=token, most=BODY, hosts=hosts, metrics=Metrics())
    app.add_exception_handler(HeedfulError, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, missed)
    return app


async def asked(room: Room, every: float) -> None:
    """Ask due sources again and again; what goes wrong with one is kept with it."""
    while True:
        with suppress(HeedfulError):
            await asyncio.to_thread(room.poll)
        await asyncio.sleep(60 * every)
