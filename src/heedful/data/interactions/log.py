"""A log: who took what when, and what is known of items and users."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from heedful.errors import DataError

WORD = re.compile(r"\w+")
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Described:
    """What is known of an item or a user: a title to show, and features: attributes as they stand, words in lower case."""

    title: str = ""
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Log:
    """Interactions as columns: place i of `user` and `item` names one of `users` and `items`, `time` is in seconds.

    `values` are ratings, dwell times or prices (NaN where there is none), `timed` says whether `time` was in the source or is the
    order of its rows.

    >>> log = Log.of("mine", [("ann", "tea", 5.0, None), ("bob", "tea", 6.0, None)])
    >>> log.user.tolist(), log.item.tolist(), log.timed
    ([0, 1], [0, 0], True)
    """

    name: str
    users: tuple[str, ...]
    items: tuple[str, ...]
    user: Numbers
    item: Numbers
    time: Numbers
    values: NDArray[np.float64]
    timed: bool = True
    about_items: Mapping[str, Described] = field(default_factory=dict)
    about_users: Mapping[str, Described] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, rows: Sequence[tuple[str, str, float | None, float | None]]) -> Log:
        """A log from rows of user, item, time in seconds and value."""
        if not rows:
            raise DataError(f"{name}: no interactions in it: a table with a column of users and one of items would work")
        users, user = codes([row[0] for row in rows])
        items, item = codes([row[1] for row in rows])
        timed = rows[0][2] is not None
        if any((row[2] is not None) != timed for row in rows):
            raise DataError(f"{name}: some interactions have a time and others have none: all or none would work")
        time = np.array([row[2] if timed else i for i, row in enumerate(rows)], dtype=np.float64)
        values = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
        return cls(name, users, items, user, item, np.floor(time).astype(np.int64), values, timed)

    def __len__(self) -> int:
        return len(self.user)

    def kept(self, rows: NDArray[Any]) -> Log:
        """The log of the rows that a mask or places choose."""
        return replace(self, user=self.user[rows], item=self.item[rows], time=self.time[rows], values=self.values[rows])

    def title(self, item: str) -> str:
        """An item as people know it."""
        found = self.about_items.get(item)
        return found.title if found and found.title else item


def codes(names: Sequence[str]) -> tuple[tuple[str, ...], Numbers]:
    """The different names in order of appearance, and the place of each name among them."""
    places: dict[str, int] = {}
    found = np.fromiter((places.setdefault(name, len(places)) for name in names), np.int64, len(names))
    return tuple(places), found


def words(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, each once, in order.

    >>> words("The Lion King (1994), the")
    ('the', 'lion', 'king', '1994')
    """
    return tuple(dict.fromkeys(WORD.findall(text.lower())))
