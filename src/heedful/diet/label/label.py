"""What the minutes went to, as a label on food says it: by topic, source, viewpoint and depth, against the reader's own target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

from heedful.diet.day.gathered import named
from heedful.diet.day.piece import UNSTATED
from heedful.diet.day.today import wishes_of
from heedful.diet.intake.reading import learnt, minutes
from heedful.diet.store.rows import DONE, Feedback, Item, Which
from heedful.diet.store.store import Store
from heedful.errors import unknown

Period = Literal["day", "week", "month"]
PERIODS: Final = get_args(Period)
DAYS: Final = {"day": 1, "week": 7, "month": 30}
FACETS: Final = ("topic", "source", "viewpoint", "depth")


@dataclass(frozen=True)
class Taken:
    """An item that was read in the period, the minutes it took, and whether those were planned."""

    item: Item
    minutes: float
    new: bool
    again: bool


@dataclass(frozen=True)
class Label:
    """What a period was made of.

    Arguments:
        first, last: days, as in 2026-11-21.
        planned, spent: minutes of the editions, and of what was read.
        by: spent minutes by facet and group, the largest first.
        targets: shares of the minutes by topic that were aimed at; `off` is how much of the minutes would have to move to meet them.
        novelty: share of the minutes on sources and topics that were not read before.
        redundancy: share of the minutes on stories that were read already.
        items: how many were read.
    """

    period: Period
    first: str
    last: str
    planned: float
    spent: float
    by: Mapping[str, Mapping[str, float]]
    targets: Mapping[str, float]
    off: float | None
    novelty: float
    redundancy: float
    items: int

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def label(store: Store, period: str, now: float) -> Label:
    """The label of the day, week or month that ends now.

    Raises `UsageError` for another period.
    """
    if period not in PERIODS:
        raise unknown("period", period, PERIODS)
    last = datetime.fromtimestamp(now).date()
    first = last - timedelta(days=DAYS[period] - 1)
    start = datetime(first.year, first.month, first.day).timestamp()
    said = store.feedback()
    taken = read_in(store, said, start)
    spent = sum(one.minutes for one in taken)
    targets = wishes_of(store).targets
    names = named([store.source(id) for id in sorted({one.item.source for one in taken})])
    by = {facet: grouped(taken, facet, names) for facet in FACETS}
    return Label(
        period=period,  # type: ignore[arg-type]
        first=first.isoformat(),
        last=last.isoformat(),
        planned=planned(store, first),
        spent=spent,
        by=by,
        targets=targets,
        off=away(by["topic"], targets, spent),
        novelty=share(taken, [one.new for one in taken]),
        redundancy=share(taken, [one.again for one in taken]),
        items=len(taken),
    )


def read_in(store: Store, said: Sequence[Feedback], start: float) -> list[Taken]:
    """What was read since then, each item once, in order."""
    done = [one for one in said if one.kind in DONE]
    items = {item.id: item for item in store.items(Which(ids=sorted({one.item for one in done})))}
    pace = learnt(store)
    took: dict[int, float] = {}
    for one in done:
        if one.kind in ("opened", "finished") and one.value:
            took[one.item] = max(took.get(one.item, 0.0), one.value)
    known: set[str] = set()
    stories: set[int] = set()
    seen: set[int] = set()
    found = []
    for one in done:
        item = items[one.item]
        if item.id in seen:
            continue
        seen.add(item.id)
        marks = {f"topic {item.topic}", f"source {item.source}"}
        if one.at >= start:
            spent = took.get(item.id, minutes(item, pace))
            found.append(Taken(item, spent, bool(marks - known), item.story in stories))
        known |= marks
        stories.add(item.story)
    return found


def grouped(taken: Iterable[Taken], facet: str, names: Mapping[int, str]) -> dict[str, float]:
    """Minutes by group, the largest first."""
    found: Counter[str] = Counter()
    for one in taken:
        item = one.item
        group = {"topic": item.topic or "other", "source": names[item.source], "viewpoint": item.viewpoint or UNSTATED}
        found[group.get(facet, item.depth or "article")] += one.minutes  # type: ignore[assignment]
    return dict(sorted(((name, float(minutes)) for name, minutes in found.items()), key=lambda pair: (-pair[1], pair[0])))


def planned(store: Store, first: date) -> float:
    """Minutes of the newest edition of each day."""
    newest: dict[str, int] = {}
    for made in store.editions(since=first.isoformat()):
        newest.setdefault(made.day, made.id)
    return sum(one.minutes for edition in newest.values() for one in store.shown(edition))


def away(topics: Mapping[str, float], targets: Mapping[str, float], spent: float) -> float | None:
    """The share of the minutes that would have to go elsewhere for the targets to be met; None without targets or minutes.

    Topics without a target share what the targets leave.

    >>> away({"a": 6.0, "b": 4.0}, {"a": 0.5}, 10.0)
    0.0
    >>> round(away({"a": 6.0, "b": 4.0}, {"b": 0.5}, 10.0), 3)
    0.1
    """
    if not targets or not spent:
        return None
    return sum(max(target - topics.get(name, 0.0) / spent, 0.0) for name, target in targets.items())


def share(taken: Sequence[Taken], which: Sequence[bool]) -> float:
    """The share of the minutes that these took."""
    whole = sum(one.minutes for one in taken)
    return sum(one.minutes for one, inside in zip(taken, which, strict=True) if inside) / whole if whole else 0.0
