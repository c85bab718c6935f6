"""The doors for programs: the edition as JSON, RSS and JSON Feed, items with their reasons, feedback, search, the label."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from heedful.diet.day.asking import why
from heedful.diet.day.saying import say
from heedful.diet.day.serving import verdict
from heedful.diet.export.feeds import json_feed, rss
from heedful.diet.export.listing import Listing, listing
from heedful.diet.intake import opml
from heedful.diet.label.label import Period, label
from heedful.diet.store.rows import Item
from heedful.web.diet.room import Room

MOST = 2**53 - 1  # the largest whole number of JSON that every reader reads


class Word(BaseModel):
    """What is said of an item."""

    model_config = ConfigDict(extra="forbid", strict=True)
    item: int = Field(ge=0, le=MOST)
    word: str = Field(description="worth, not-worth, later, save, more, less, or 1 to 5", max_length=20)
    because: str = Field("", description="of more and less: what of it, as in 'topic politics'", max_length=500)


Words = Annotated[str, Query(min_length=1, max_length=500)]
Number = Annotated[int, Query(ge=1, le=100)]
Start = Annotated[int, Query(ge=0, le=1_000_000)]


def api(room: Room) -> APIRouter:
    """What programs ask."""
    router = APIRouter()

    @router.get("/api/edition")
    def edition() -> dict[str, Any]:
        """The edition of the day, each item with its reason; made if there is none yet."""
        return room.edition().record() | {"serves": verdict(room.store).record() | {"state": None}}

    @router.get("/api/items/{id}")
    def item(id: int) -> dict[str, Any]:
        """An item with its text, what was said and noted, and why it is in the edition or not."""
        one = room.store.item(id)
        said = [vars(feedback) for feedback in room.store.feedback(id)]
        return told(one) | {
            "text": one.text,
            "said": said,
            "notes": [vars(note) for note in room.store.notes(id)],
            "why": why(room.store, id, room.now()),
        }

    @router.get("/api/search")
    def search(q: Words, limit: Number = 20, offset: Start = 0) -> dict[str, Any]:
        """Items with all the words, the best first."""
        hits = room.store.search(q, limit, offset)
        found = [
            told(hit.item) | {"snippet": hit.snippet, "spans": hit.spans, "reason": hit.reason, "edition": hit.edition} for hit in hits
        ]
        return {"hits": found}

    @router.get("/api/label")
    def made_of(period: Period = "day") -> dict[str, Any]:
        """What the minutes of a day, week or month went to."""
        return label(room.store, period, room.now()).record()

    @router.post("/api/feedback")
    def feedback(said: Word) -> dict[str, Any]:
        """Keep a word on an item."""
        return vars(say(room.store, said.item, said.word, room.now(), said.because))

    @router.get("/edition.rss")
    def as_rss(request: Request) -> Response:
        """The edition of the day, for feed readers."""
        return Response(rss(listed(room), str(request.base_url)), media_type="application/rss+xml")

    @router.get("/edition.json")
    def as_json(request: Request) -> Response:
        """The same as JSON Feed."""
        return Response(json_feed(listed(room), str(request.base_url)), media_type="application/feed+json")

    @router.get("/sources.opml")
    def sources() -> Response:
        """The sources, for other readers."""
        return Response(opml.write(room.store.sources()), media_type="text/x-opml")

    @router.get("/api/sources", response_class=JSONResponse)
    def followed() -> dict[str, Any]:
        """The sources, and how the last asking of each went."""
        return {"sources": [vars(source) for source in room.store.sources()]}

    return router


def listed(room: Room) -> Listing:
    """The edition of the day as a list; an empty one before anything came."""
    found = room.edition()
    if not found.made.id:
        return Listing(f"The edition of {found.made.day}: nothing came yet", [], found.made.at)
    return listing(room.store, "edition", room.now())


def told(item: Item) -> dict[str, Any]:
    """An item without its text."""
    return {name: value for name, value in vars(item).items() if name != "text"}
