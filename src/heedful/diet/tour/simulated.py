"""A simulated reader for the tour: twelve mornings of editions, then one that is looked at. Nothing of it is about people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from heedful.diet.day.day import Morning
from heedful.diet.day.piece import DAY, Past, Piece
from heedful.diet.day.wishes import Wishes

SUBJECTS: Final = {
    "science": "comet enzyme fossil neuron quark glacier orbit vaccine reef telescope gene crater",
    "politics": "ballot treaty senate budget border reform coalition veto minister campaign decree court",
    "culture": "opera novel mural archive festival poem museum theatre choir film dialect sculpture",
    "technology": "compiler battery satellite browser sensor protocol chip robot network cipher printer cloud",
    "sport": "final marathon transfer record penalty coach derby relay stadium league medal sprint",
    "city": "bridge market tram library bakery river school park harbour strike festival roof",
}
SOURCES: Final = ("The Morning Wire", "The Evening Wire", "Field Notes", "The Slow Review", "The Tribune", "Letters from the Coast")
LOUD: Final = (0.42, 0.3, 0.1, 0.03, 0.12, 0.03)
DAYS: Final = 12
ITEMS: Final = 60
MINUTES: Final = 30.0
START: Final = 1_700_000_000.0


@dataclass(frozen=True)
class Reader:
    """What a minute is worth to the reader, which no model sees: by subject, and by source."""

    subjects: dict[str, float]
    sources: dict[str, float]

    def worth(self, one: Piece) -> float:
        """Of a minute of an item."""
        return float(np.clip(self.subjects[one.topic] + self.sources[one.source] + luck(one), -1, 1))


@dataclass(frozen=True)
class Day:
    """A morning after twelve others, and the reader it is for."""

    morning: Morning
    reader: Reader

    def worth(self, keys: Sequence[str]) -> float:
        """Minutes well spent on these items, as the reader would say afterwards."""
        pieces = {one.key: one for one in self.morning.pieces}
        return sum(pieces[key].minutes * self.reader.worth(pieces[key]) for key in keys)

    def newest(self, minutes: float) -> list[str]:
        """What fits if the newest is read first, as most feeds are."""
        taken, left = [], minutes
        for one in sorted(self.morning.pieces, key=lambda one: -one.published):
            if one.minutes <= left:
                taken.append(one.key)
                left -= one.minutes
        return taken


def luck(one: Piece) -> float:
    """What is particular to an item: the same whenever it is asked for."""
    return 0.35 * float(np.random.default_rng(int(one.key)).normal())


def day(seed: int = 0) -> Day:
    """The thirteenth morning of a reader who said of every item read what it was worth."""
    rng = np.random.default_rng(seed)
    reader = Reader(
        dict(zip(SUBJECTS, rng.normal(0, 0.5, len(SUBJECTS)), strict=True)), dict(zip(SOURCES, rng.normal(0, 0.2, 6), strict=True))
    )
    pasts: list[Past] = []
    for number in range(DAYS):
        morning = arrived(rng, number, pasts)
        pieces = {one.key: one for one in morning.pieces}
        pasts += [Past(pieces[key], reader.worth(pieces[key]), morning.now + place) for place, key in enumerate(morning.edition.keys)]
    return Day(arrived(rng, DAYS, pasts), reader)


def arrived(rng: np.random.Generator, number: int, pasts: Sequence[Past]) -> Morning:
    """What came in by a morning."""
    now = START + DAY * number
    subjects = list(SUBJECTS)
    pieces = []
    for i in range(ITEMS):
        topic, source = subjects[int(rng.integers(6))], int(rng.choice(6, p=LOUD))
        words = rng.choice(SUBJECTS[topic].split(), 4, replace=False)
        minutes = float(np.clip(np.exp(rng.normal(1.1, 0.55)), 0.8, 14))
        depth = "brief" if minutes < 2 else "article" if minutes < 6 else "long"
        title = f"{words[0].capitalize()}, {words[1]} and the {words[2]}"
        about, published = f"{title} {' '.join(words)} {topic}", now - DAY * float(rng.random())
        one = Piece(str(ITEMS * number + i), about, SOURCES[source], minutes, published, topic, depth=depth, title=title)
        pieces.append(replace(one, rate=7 * ITEMS * LOUD[source]))
    return Morning(pieces, list(pasts), Wishes(minutes=MINUTES), MINUTES, now, seed=number)
