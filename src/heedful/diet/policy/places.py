"""How likely a list was, place by place: counted over drawn editions, as `propensity.py` counts items.

A list ends where nothing more is put in: its end is one more place, which holds no item. What was shown is counted among the draws, so
that no place of it has probability 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Drawn = Sequence[Sequence[int]]


@dataclass(frozen=True, eq=False)
class Places:
    """A list of l items that was shown, and how likely it was.

    Arguments:
        order: (l,) the numbers of its candidates in the order in which they are read.
        by_item: (l + 1,) the share of editions that have this item at this place, the end last.
        cascade: (l + 1,) the share that are the same up to this place.
    """

    order: Int[np.ndarray, " l"]
    by_item: Float[np.ndarray, " p"]
    cascade: Float[np.ndarray, " p"]

    @classmethod
    def counted(cls, order: Sequence[int], drawn: Drawn) -> Places:
        """From the editions that could have been drawn, and the one that was shown as one of them.

        >>> found = Places.counted((2, 1), [(2, 1), (2, 0), (1, 2)])
        >>> found.by_item.tolist(), found.cascade.tolist()
        ([0.75, 0.5, 1.0], [0.75, 0.5, 0.5])
        """
        by_item, cascade = shares(order, [*drawn, order])
        return cls(np.array(order, dtype=int), by_item, cascade)


def shares(order: Sequence[int], drawn: Drawn) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """The shares of editions that have each item of a list at its place, and that are the same up to it; the end last.

    >>> [found.tolist() for found in shares((2, 1), [(2, 1), (2, 0)])]
    [[1.0, 0.5, 1.0], [1.0, 0.5, 0.5]]
    """
    same = np.array([[at(one, k) == at(order, k) for k in range(len(order) + 1)] for one in drawn], dtype=float)
    return same.mean(0), same.cumprod(axis=1).mean(0)


def at(edition: Sequence[int], place: int) -> int:
    """What stands at a place; -1 from the end on."""
    return edition[place] if place < len(edition) else -1
