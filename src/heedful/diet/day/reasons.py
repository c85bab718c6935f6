"""Why an item is in the edition: its score in parts that add up to it, what it leans on, and what would have changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from heedful.diet.day.attentive import TAKEN
from heedful.diet.day.day import Morning
from heedful.diet.day.leaning import Lean, leans
from heedful.diet.day.piece import DAY, Piece
from heedful.diet.edition.menu import Share

COVER: Final = "cover "  # before a facet: what covering it adds
DOUBT: Final = "doubt"
AGAIN: Final = "again"


class Part(NamedTuple):
    """One part of a score: the name of what it comes from, the same in words, and minutes' worth."""

    name: str
    says: str
    value: float


@dataclass(frozen=True)
class Reason:
    """Why an item stands where it does.

    Arguments:
        parts: they add up to `score`, in minutes' worth.
        floor: the share of minutes kept for a group that asked for it, or None.
        chance: how likely it was to be in this edition.
        leans: past reads that its score would change most without.
        below: minutes of a day from which down it would be out, None where it would always be in.
    """

    key: str
    minutes: float
    parts: tuple[Part, ...]
    floor: str | None
    chance: float
    leans: tuple[Lean, ...]
    below: float | None

    @property
    def score(self) -> float:
        """All parts together."""
        return sum(part.value for part in self.parts)

    @property
    def because(self) -> str:
        """The one or two parts that did most for it."""
        return because(self.parts, self.floor)

    def record(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "score": self.score,
            "because": self.because,
            "parts": [part._asdict() for part in self.parts],
            "floor": self.floor,
            "chance": self.chance,
            "leans": [{"item": lean.past.piece.key, "change": lean.change, "worth": lean.past.reward} for lean in self.leans],
            "below": self.below,
        }


def because(parts: tuple[Part, ...], floor: str | None) -> str:
    """The one or two parts that did most for an item, and the place that was kept for it."""
    best = sorted((part for part in parts if part.value > 0 and part.name != "start"), key=lambda part: -part.value)[:2]
    said = ", ".join(part.says for part in best) or "nothing speaks against it"
    return f"{said}; a place is kept for {floor.split(' ', 1)[1]}" if floor else said


def reasons(morning: Morning) -> dict[str, Reason]:
    """The reason of every item of the edition."""
    chances, below = morning.chances, thresholds(morning)
    return {
        share.key: Reason(
            share.key,
            share.minutes,
            parts(morning, share),
            share.floor,
            chances[share.key],
            tuple(leans(morning.taste, morning.worth.changes(morning.taste, morning.places[share.key]))),
            below.get(share.key),
        )
        for share in morning.edition.shares
    }


def parts(morning: Morning, share: Share) -> tuple[Part, ...]:
    """The parts of an item's gain: the model's, the doubt that was drawn, coverage, and its story told again."""
    i = morning.places[share.key]
    piece, (names, values) = morning.close[i], morning.parts
    told = says(piece, morning.now)
    found = [Part(name, told.get(name, name), float(value) * piece.minutes) for name, value in zip(names, values[i], strict=True)]
    doubt = float(morning.score[i] - values[i].sum()) * piece.minutes
    found.append(Part(DOUBT, "not well known yet: tried out" if doubt > 0 else "not well known yet: held back", doubt))
    found += [Part(COVER + facet, f"adds to {facet} {vars_of(piece)[facet]}", value) for facet, value in share.coverage.items()]
    if share.redundancy:
        found.append(Part(AGAIN, "its story is told by another already", -share.redundancy))
    return tuple(part for part in found if part.value)


def vars_of(piece: Piece) -> Mapping[str, str]:
    """The facets that can be covered."""
    return {"topic": piece.topic, "source": piece.source, "viewpoint": piece.viewpoint, "depth": piece.depth}


def says(piece: Piece, now: float) -> dict[str, str]:
    """What each feature is in words."""
    age = (now - piece.published) / DAY
    return {
        "start": "what any item is worth to you",
        "topic": f"what you made of {piece.topic} before",
        "source": f"what you made of {piece.source} before",
        "viewpoint": f"what you made of viewpoint {piece.viewpoint} before",
        "depth": f"what you made of {piece.depth} items before",
        "words": "words it shares with what you rated",
        "fresh": "published today" if age < 1 else f"published {age:.0f} day{'s' if age >= 1.5 else ''} ago",
        "retold": f"told by {piece.told} items" if piece.told > 1 else "told by nobody else",
        "quiet": f"from a source of {piece.rate:.1f} items a week",
        TAKEN: "what attention takes from what you read before",
        "length": f"its length, {piece.minutes:.1f} min, against your slider",
    }


def thresholds(morning: Morning) -> dict[str, float]:
    """For each item of the edition, the most minutes (of ten steps below the day's) at which it is out."""
    found: dict[str, float] = {}
    for tenth in range(1, 10):
        minutes = morning.minutes * tenth / 10
        inside = set(morning.under(minutes).keys)
        found |= {key: minutes for key in morning.edition.keys if key not in inside}
    return found


def enough(morning: Morning, key: str, most: float = 240.0) -> float | None:
    """The fewest minutes (of steps of a fifth of the day's) from which on an item that is out would be in; None up to `most`."""
    if key not in morning.places:
        return None
    minutes = morning.minutes
    while minutes < min(most, 4 * morning.minutes):
        minutes += morning.minutes / 5
        if key in morning.under(minutes).keys:
            return minutes
    return None
