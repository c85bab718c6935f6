"""Minutes of an item for one reader: by the pace that reading took, or as long as its sound or film is."""

from __future__ import annotations

from typing import Final

from heedful.diet.intake.facets import usual
from heedful.diet.intake.minutes import Pace, Read
from heedful.diet.store.rows import Head, Item, Which
from heedful.diet.store.store import Store

LEAST: Final = 0.25  # minutes to open anything and see that it is short


def minutes(item: Item | Head, pace: Pace) -> float:
    """Minutes that an item takes; never none.

    >>> minutes(Item(words=238), Pace(2.0)), minutes(Item(seconds=600.0), Pace(2.0)), minutes(Item(), Pace())
    (2.0, 10.0, 0.25)
    """
    factor = pace.factor if item.seconds is None else 1.0
    return max(factor * usual(item.words, item.characters, item.seconds, item.language), LEAST)


def learnt(store: Store) -> Pace:
    """The reader's pace, from what finished items took."""
    took = {one.item: one.value for one in store.feedback() if one.kind == "finished" and one.value > 0}
    read = [item for item in store.heads(Which(ids=list(took))) if item.seconds is None]
    return Pace.learnt(Read(usual(item.words, item.characters, None, item.language), took[item.id]) for item in read)
