"""The edition of a day: made once, kept with every decision's propensity and reason, and shown again as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from heedful.diet.day.day import Linear, Morning, Worth
from heedful.diet.day.gathered import day_of, filled, gathered, named
from heedful.diet.day.reasons import reasons
from heedful.diet.day.rest import passed
from heedful.diet.day.wishes import Wishes
from heedful.diet.store.rows import DONE, Item, Made, Shown, Which
from heedful.diet.store.store import Store
from heedful.errors import UsageError

WISHES = "wishes"


@dataclass(frozen=True)
class Entry:
    """An item of an edition, what was said of it since, and other items that tell its story."""

    shown: Shown
    item: Item
    source: str
    said: tuple[str, ...] = ()
    others: tuple[Item, ...] = ()

    @property
    def done(self) -> bool:
        """Whether it is behind the reader."""
        return any(kind in DONE for kind in self.said)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        item = self.item
        return {
            "item": item.id,
            "place": self.shown.place + 1,
            "title": item.title,
            "address": item.address,
            "source": self.source,
            "topic": item.topic,
            "viewpoint": item.viewpoint,
            "depth": item.depth,
            "minutes": round(self.shown.minutes, 2),
            "score": self.shown.score,
            "propensity": self.shown.propensity,
            "reason": self.shown.reason,
            "said": list(self.said),
            "story": [{"item": one.id, "title": one.title} for one in self.others],
        }


@dataclass(frozen=True)
class Today:
    """A day's edition.

    Arguments:
        left: how many items were weighed and are not in it; each has its reason.
    """

    made: Made
    entries: tuple[Entry, ...]
    left: int = 0

    @property
    def minutes(self) -> float:
        """Planned."""
        return sum(entry.shown.minutes for entry in self.entries)

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "edition": self.made.id,
            "day": self.made.day,
            "budget": self.made.minutes,
            "minutes": round(self.minutes, 2),
            "policy": self.made.policy,
            "diet": self.made.diet,
            "left": self.left,
            "items": [entry.record() for entry in self.entries],
        }


def wishes_of(store: Store) -> Wishes:
    """The reader's settings; those of the house where nothing was set."""
    return Wishes.of(store.setting(WISHES, {}))


def morning(store: Store, now: float, minutes: float | None = None, seed: int = 0, worth: Worth | None = None) -> Morning:
    """What there is to decide with, now."""
    wishes = wishes_of(store)
    given = wishes.minutes if minutes is None else minutes
    if not 0 < given <= 1440:
        raise UsageError(f"--minutes is {given:g}: above 0, and at most the 1,440 of a day, would work")
    found = gathered(store, wishes, now)
    return Morning(found.pieces, found.pasts, wishes, given, now, seed, worth or Linear(), partial(filled, store))


def make(store: Store, found: Morning) -> Made:
    """Make the edition of the day and keep it, with why each item is in it or not.

    Where there was nothing to weigh none is kept (its number is 0): the day's edition is made when something has come.
    """
    if not found.pieces:
        return Made(day=day_of(found.now), minutes=found.minutes, at=found.now)
    why, listed = reasons(found), found.listed
    diet = {"unmet": list(found.edition.unmet), "wishes": found.wishes.record(), "seed": found.seed}
    diet |= {"places": {"item": listed.by_item.tolist(), "list": listed.cascade.tolist()}}  # the end of the list last
    made = Made(day=day_of(found.now), minutes=found.minutes, policy=f"thompson on {found.worth.name}", diet=diet, at=found.now)
    shown = [
        Shown(0, int(one.key), place, why[one.key].chance, one.minutes, why[one.key].score, made.policy, why[one.key].record())
        for place, one in enumerate(found.edition.shares)
    ]
    return store.add_edition(made, shown, {int(key): line for key, line in passed(found).items()})


def today(store: Store, now: float) -> Today | None:
    """The edition of the day, if one was made."""
    made = store.edition(day_of(now))
    return None if made is None else of_edition(store, made)


def of_edition(store: Store, made: Made) -> Today:
    """An edition with its items as they are now."""
    shown = store.shown(made.id)
    items = {item.id: item for item in store.items(Which(ids=[one.item for one in shown]))}
    names: Mapping[int, str] = named([store.source(id) for id in sorted({item.source for item in items.values()})])
    said: dict[int, list[str]] = {}
    for one in store.feedback():
        if one.item in items:
            said.setdefault(one.item, []).append(one.kind)
    entries = tuple(
        Entry(one, items[one.item], names[items[one.item].source], tuple(said.get(one.item, ())), others(store, items[one.item]))
        for one in shown
        if one.item in items
    )
    return Today(made, entries, len(store.passed(made.id)))


def others(store: Store, item: Item) -> tuple[Item, ...]:
    """Other items that tell its story."""
    return tuple(one for one in store.story(item.story) if one.id != item.id)
