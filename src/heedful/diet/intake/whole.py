"""The whole text of an item whose source gives a summary only, read from its page."""

from __future__ import annotations

from heedful.diet.intake.facets import depth, usual
from heedful.diet.intake.fetch import Limits, fetch
from heedful.diet.intake.minutes import length
from heedful.diet.intake.page import page_of
from heedful.diet.intake.take import TEXT
from heedful.diet.store.rows import Item, Source
from heedful.diet.store.store import Store
from heedful.errors import DataError


def whole(store: Store, id: int, limits: Limits | None = None) -> Item:
    """The item with the text of its page, if that is longer; kept, and searched.

    Raises `DataError` for an item without a page, and for a page that cannot be read; `UsageError` for a number that is none.
    """
    item = store.item(id)
    if not item.address.startswith(("http://", "https://")):
        raise DataError(f"item {id} has no page of its own in the web: one with an address would work")
    answer = fetch(Source(address=item.address), limits or Limits())
    if answer.status != 200:
        raise DataError(f"{item.address}: answered {answer.status}: a page that can be opened would work")
    text = page_of(answer.document, item.address, answer.content_type).entries[0].text[:TEXT]
    if len(text) <= len(item.text):
        return item
    read = length(text)
    deep = depth(usual(read.words, read.characters, item.seconds, item.language))
    return store.fill_item(id, text, read.words, read.characters, deep)
