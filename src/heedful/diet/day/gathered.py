"""From the store to what the model sees: what may be read, what was read and what it was worth, and the reader's pace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from heedful.diet.day.crowd import Crowd, Kind, Pieces
from heedful.diet.day.piece import DAY, UNSTATED, Past, Piece
from heedful.diet.day.simple import MOST
from heedful.diet.day.wishes import Wishes
from heedful.diet.intake.minutes import Pace
from heedful.diet.intake.reading import learnt, minutes
from heedful.diet.reward import Reward, Signals
from heedful.diet.store.rows import DONE, Feedback, Head, Item, Source, Which
from heedful.diet.store.store import Store

WINDOW: Final = 14.0  # days that an item waits to be chosen
CHANCES: Final = 2  # editions of earlier days that show an item which is not opened
OPENING: Final = 0.5  # minutes that the shortest item takes, opened and left again
LETTERS: Final = 600  # of an item, that say what it is about
SAYS: Final = {"worth": 1.0, "more": 1.0, "not_worth": -1.0, "less": -1.0}
ALIKE: Final = ("topic", "source", "viewpoint", "depth")


@dataclass(frozen=True)
class Gathered:
    """What a morning begins with; pieces and items have the same places."""

    pieces: Pieces
    pasts: Sequence[Past]
    items: Sequence[Head]
    pace: Pace
    names: Mapping[int, str]


def gathered(store: Store, wishes: Wishes, now: float) -> Gathered:
    """Everything unread that came in within two weeks or was put off, against all that was said of items; as it was at `now`."""
    said, names = [one for one in store.feedback() if one.at <= now], named(store.sources())
    recent = store.heads(Which(since=now - WINDOW * DAY, until=now + 1))
    done = {one.item for one in said if one.kind in DONE}
    later = {one.item for one in said if one.kind == "later"} - done
    inside = {item.id for item in recent}
    recent += store.heads(Which(ids=sorted(later - inside)))
    rates, told, worn = rate(recent, now), Counter(item.story for item in recent), shown_often(store, now)
    open_ = [item for item in recent if item.id not in done and (item.id in later or item.id not in worn)]
    old = store.items(Which(ids=latest(said), whole=True))
    names = names | named([store.source(id) for id in ({one.source for one in recent} | {one.source for one in old}) - set(names)])
    pace = learnt(store)
    known = Known(names, pace, rates, told)
    every = {item.id: worded(known.piece(Head.of(item)), item) for item in old}
    pieces = Pieces(known.crowd(open_), lambda i: known.piece(open_[i]))
    return Gathered(pieces, pasts(said, every, wishes.reward), open_, pace, names)


def named(sources: Iterable[Source]) -> dict[int, str]:
    """A name for each source, no two alike."""
    found: dict[int, str] = {}
    for one in sources:
        name = one.title or one.address
        found[one.id] = name if name not in found.values() else f"{name} ({one.id})"
    return found


def rate(items: Iterable[Head], now: float) -> dict[int, float]:
    """Items a week that each source published within the window."""
    counted = Counter(item.source for item in items if item.published >= now - WINDOW * DAY)
    return {source: 7 * count / WINDOW for source, count in counted.items()}


def shown_often(store: Store, now: float) -> set[int]:
    """Items that earlier editions showed often enough without being opened."""
    today, last = day_of(now), day_of(now - WINDOW * DAY)
    days: dict[str, int] = {}
    for made in store.editions(since=last):
        days.setdefault(made.day, made.id)  # the newest of each day
    counted = Counter(one.item for day, edition in days.items() if day != today for one in store.shown(edition))
    return {item for item, count in counted.items() if count >= CHANCES}


@dataclass(frozen=True)
class Known:
    """What turns heads into pieces: sources' names, the reader's pace, items a week by source, and items by story."""

    names: Mapping[int, str]
    pace: Pace
    rates: Mapping[int, float]
    told: Mapping[int, int]

    def kind(self, head: Head) -> Kind:
        """What it shares with others."""
        source = self.names.get(head.source, "a source that is gone")
        return Kind(head.topic or "other", source, head.viewpoint or UNSTATED, head.depth or "article")

    def piece(self, head: Head) -> Piece:
        """An item as the model sees it, but for its words and title (see `filled`)."""
        topic, source, viewpoint, depth = self.kind(head)
        told = max(self.told.get(head.story, 1), 1)
        return Piece(
            key=str(head.id),
            words="",
            source=source,
            minutes=max(minutes(head, self.pace), OPENING),
            published=head.published or head.taken,
            topic=topic,
            viewpoint=viewpoint,
            depth=depth,
            story=str(head.story) if told > 1 else None,
            told=told,
            rate=self.rates.get(head.source, 0.0),
        )

    def crowd(self, heads: Sequence[Head]) -> Crowd:
        """Many of them as columns."""
        return Crowd(
            [str(head.id) for head in heads],
            [self.kind(head) for head in heads],
            np.array([head.published or head.taken for head in heads], dtype=float),
            np.array([max(self.told.get(head.story, 1), 1) for head in heads], dtype=float),
            np.array([self.rates.get(head.source, 0.0) for head in heads], dtype=float),
        )


def about(item: Item) -> str:
    """The words that say what an item is about: its title counts twice."""
    return f"{item.title} {item.title} {(item.summary or item.text)[:LETTERS]}"


def filled(store: Store, pieces: Sequence[Piece]) -> list[Piece]:
    """Pieces with their words and titles, which heads do not have."""
    found = {str(item.id): item for item in store.items(Which(ids=[int(one.key) for one in pieces], whole=True))}
    return [worded(one, found[one.key]) if one.key in found else one for one in pieces]


def worded(one: Piece, item: Item) -> Piece:
    """A piece with the words and title of its item."""
    return replace(one, words=about(item), title=item.title or item.address)


def latest(said: Sequence[Feedback]) -> list[int]:
    """The items of which something was said last, as many as the model remembers."""
    return list(dict.fromkeys(one.item for one in reversed(said)))[:MOST]


def pasts(said: Sequence[Feedback], pieces: Mapping[int, Piece], reward: Reward) -> list[Past]:
    """What each item was worth a minute, from all that was said of it; what was said of one facet alone stands by itself."""
    whole: dict[int, list[Feedback]] = {}
    found: list[Past] = []
    for one in said:
        if one.item not in pieces or one.kind == "later":
            continue
        if one.reason and one.kind in SAYS:
            found.append(Past(only(pieces[one.item], one.reason), capped(reward.worth * SAYS[one.kind]), one.at, whole=False))
        else:
            whole.setdefault(one.item, []).append(one)
    for item, some in whole.items():
        read = pieces[item]
        found.append(Past(read, capped(float(reward(signals(some, read.minutes))) / read.minutes), some[-1].at))
    return sorted(found, key=lambda past: (past.at, past.piece.key))


def signals(said: Sequence[Feedback], minutes: float) -> Signals:
    """What was said and done, as the reward takes it; the last word counts, and one of a later day is delayed value."""
    kinds = {one.kind for one in said}
    first = min(one.at for one in said)
    word = next((one for one in reversed(said) if one.kind in SAYS or one.kind == "rated"), None)
    rating = 0.0 if word is None else (word.value - 3) / 2 if word.kind == "rated" else SAYS[word.kind]
    late = word is not None and word.at - first > DAY / 2
    at_once, after = (0.0, rating) if late else (rating, 0.0)
    finished, saved, again = (float(kind in kinds) for kind in ("finished", "saved", "revisited"))
    numbers = (float(bool(kinds - {"saved"})), minutes, finished, at_once, saved, again, after)
    return Signals(*(np.array(number) for number in numbers))


def capped(worth: float) -> float:
    """A minute's worth between a waste and the best there is."""
    return min(max(worth, -1.0), 1.0)


def only(one: Piece, reason: str) -> Piece:
    """A piece of one facet, as in "topic politics"; its others are nobody's."""
    facet, _, label = reason.partition(" ")
    facets = {name: label if name == facet else f"(not said) {name}" for name in ALIKE}
    words = label if facet == "words" else ""
    return Piece(
        one.key, words, facets["source"], 1.0, one.published, facets["topic"], facets["viewpoint"], facets["depth"], title=one.title
    )


def day_of(now: float) -> str:
    """The day of a time, where this machine is."""
    from datetime import datetime

    return datetime.fromtimestamp(now).date().isoformat()
