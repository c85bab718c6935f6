"""A reading list in the form that others read it in."""

from __future__ import annotations

from typing import Final

from heedful.diet.export.feeds import json_feed, rss
from heedful.diet.export.listing import KINDS, listing
from heedful.diet.store.store import Store
from heedful.errors import unknown

FORMS: Final = {"rss": rss, "json": json_feed}
SOURCES: Final = "sources"


def shared(store: Store, kind: str, form: str, now: float) -> str:
    """Items as RSS or JSON Feed, sources as OPML.

    Raises `UsageError` for another list or form.
    """
    if kind not in (*KINDS, SOURCES):
        raise unknown("list", kind, (*KINDS, SOURCES))
    if kind == SOURCES:
        from heedful.diet.intake.opml import write

        return write(store.sources())
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    return FORMS[form](listing(store, kind, now))
