"""What the reader's model sees of an item, and what came of one that was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DAY: Final = 86_400.0
UNSTATED: Final = "unstated"  # the viewpoint of those who state none


@dataclass(frozen=True, slots=True)
class Piece:
    """An item to be read.

    Arguments:
        key: its name, once in a day; `title` is what it is called.
        words: title and beginning, for what it is about.
        minutes: what reading it takes this reader.
        published: seconds since 1970.
        told: how many items tell its story, itself included.
        rate: items a week of its source; few for a quiet one.
    """

    key: str
    words: str
    source: str
    minutes: float
    published: float
    topic: str = "other"
    viewpoint: str = UNSTATED
    depth: str = "article"
    story: str | None = None
    told: int = 1
    rate: float = 7.0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """A piece that was read: what it was worth a minute, from -1 (a waste) to 1, and when (seconds since 1970).

    What is not `whole` was said of one facet only ("less of this topic"): its others are empty, and no weights are learnt from it.
    """

    piece: Piece
    reward: float
    at: float
    whole: bool = True
