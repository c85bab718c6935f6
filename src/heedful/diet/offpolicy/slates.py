"""A log of lists: each row a place of a list, with the probabilities of both policies at three scopes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class SlateLog:
    """Rows in the order of their lists and places, n in all.

    Arguments:
        slate: (n,) the number of the list a row belongs to; equal numbers stand together.
        place: (n,) 0, 1, ... within the list.
        reward: (n,) what came of the item at this place.
        by_item, by_item_policy: (n,) the probability of this item at this place under the policy that chose, and the one in question.
        cascade, cascade_policy: (n,) that of this item and all before it in the list; None where they were not logged.

    Raises `UsageError` for shapes that do not fit, places out of order, or probabilities of 0 that were chosen all the same.
    """

    slate: Int[np.ndarray, " n"]
    place: Int[np.ndarray, " n"]
    reward: Float[np.ndarray, " n"]
    by_item: Float[np.ndarray, " n"]
    by_item_policy: Float[np.ndarray, " n"]
    cascade: Float[np.ndarray, " n"] | None = None
    cascade_policy: Float[np.ndarray, " n"] | None = None

    def __post_init__(self) -> None:
        given = (self.place, self.reward, self.by_item, self.by_item_policy, self.cascade, self.cascade_policy)
        n = len(self.slate)
        if n == 0 or any(x is not None and x.shape != (n,) for x in given):
            raise UsageError(f"every column of a log of lists must have its {n} rows, one at least")
        first = np.flatnonzero(self.place == 0)
        starts = np.flatnonzero(np.diff(self.slate, prepend=self.slate[0] - 1) != 0)
        if not np.array_equal(first, starts) or (np.diff(self.place)[np.diff(self.slate) == 0] != 1).any():
            raise UsageError("rows must stand by list and place: places 0, 1, 2, ... of one list, then those of the next")
        for x in (self.by_item, self.cascade):
            if x is not None and (not (x > 0).all() or (x > 1).any()):
                raise UsageError("the probabilities of what was chosen must lie in (0, 1]: one was logged as 0 or above 1")

    @property
    def lists(self) -> int:
        """How many lists."""
        return int((self.place == 0).sum())

    def both_cascades(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The probabilities of a list up to each place; `UsageError` where they were not logged."""
        if self.cascade is None or self.cascade_policy is None:
            raise UsageError("this estimator wants the probabilities of lists up to each place (cascade): iips would work without")
        return self.cascade, self.cascade_policy

    def by_list(self, rows: Float[np.ndarray, " n"]) -> Float[np.ndarray, " s"]:
        """Sums of rows by list."""
        return np.add.reduceat(rows, np.flatnonzero(self.place == 0))
