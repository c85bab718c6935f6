"""A list of items that others may have: an edition, what was saved, what was worth it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from heedful.diet.day.today import of_edition
from heedful.diet.store.rows import FeedbackKind, Item, Which
from heedful.diet.store.store import Store
from heedful.errors import UsageError, unknown

LISTS: Final[Mapping[str, tuple[FeedbackKind, ...]]] = {"saved": ("saved",), "worth": ("worth",), "read": ("finished",)}
KINDS: Final = ("edition", *LISTS)


@dataclass(frozen=True)
class Entry:
    """An item of a list, and a word on it."""

    item: Item
    note: str = ""


@dataclass(frozen=True)
class Listing:
    """Items under a title, as they were on `at` (seconds)."""

    title: str
    entries: Sequence[Entry]
    at: float


def listing(store: Store, kind: str, now: float, most: int = 50) -> Listing:
    """The newest edition, or the items of which something was said, the latest first.

    Raises `UsageError` for another list, or where there is no edition yet.
    """
    if kind == "edition":
        made = next(iter(store.editions(limit=1)), None)
        if made is None:
            raise UsageError("there is no edition yet: heedful diet today makes one")
        found = of_edition(store, made)
        return Listing(
            f"The edition of {made.day}: {found.minutes:.0f} minutes",
            [Entry(one.item, f"{one.shown.minutes:.0f} min. {one.shown.reason.get('because', '')}") for one in found.entries],
            made.at,
        )
    if kind not in LISTS:
        raise unknown("list", kind, KINDS)
    said = [one for one in store.feedback() if one.kind in LISTS[kind]]
    ids = list(dict.fromkeys(one.item for one in reversed(said)))[:most]
    return Listing(f"Items {'worth the time' if kind == 'worth' else kind}", [Entry(item) for item in store.items(Which(ids=ids))], now)
