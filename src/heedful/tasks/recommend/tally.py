"""What came of targets, added up by user: means and margins of any part of them, and of several trainings together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from jaxtyping import Float

from heedful.data.interactions.log import Numbers

MEASURES: Final = ("hr@10", "ndcg@10", "mrr")
KINDS: Final = ("known", "new")
Z: Final = 1.96


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums by user, known items and new ones apart.

    Arguments:
        users: u names.
        count: (u, 2) targets.
        sums: (u, 2, 3) of hits, discounted gains and reciprocal ranks.
    """

    users: tuple[str, ...]
    count: Float[np.ndarray, "u kinds"]
    sums: Float[np.ndarray, "u kinds measures"]

    @classmethod
    def of(cls, users: Sequence[str], owner: Numbers, new: np.ndarray, columns: Sequence[np.ndarray]) -> Self:
        """From one row a target: its user, whether its item is new, and its measures.

        >>> found = Tally.of(["ann"], np.array([0, 0]), np.array([False, True]), [np.array([1.0, 0.0])] * 3)
        >>> found.mean().tolist(), found.mean("new").tolist()
        ([0.5, 0.5, 0.5], [0.0, 0.0, 0.0])
        """
        count, sums = np.zeros((len(users), 2)), np.zeros((len(users), 2, len(MEASURES)))
        np.add.at(count, (owner, new.astype(int)), 1.0)
        np.add.at(sums, (owner, new.astype(int)), np.stack(columns, axis=1))
        return cls(tuple(users), count, sums)

    @classmethod
    def mean_of(cls, tallies: Sequence[Tally]) -> Tally:
        """Several trainings' answers to the same targets, each target counted once."""
        first = tallies[0]
        return Tally(first.users, first.count, np.mean([one.sums for one in tallies], axis=0))

    @classmethod
    def together(cls, tallies: Sequence[Tally]) -> Tally:
        """Answers to different targets; a user of several of them is one user."""
        names = list(dict.fromkeys(name for one in tallies for name in one.users))
        places = {name: i for i, name in enumerate(names)}
        count, sums = np.zeros((len(names), 2)), np.zeros((len(names), 2, len(MEASURES)))
        for one in tallies:
            at = [places[name] for name in one.users]
            count[at] += one.count
            sums[at] += one.sums
        return Tally(tuple(names), count, sums)

    def targets(self, kind: str | None = None) -> int:
        """How many."""
        return int(self.part(kind)[0].sum())

    def mean(self, kind: str | None = None) -> Float[np.ndarray, " measures"]:
        """By measure; zeros where there is no target."""
        count, sums = self.part(kind)
        found: Float[np.ndarray, " measures"] = sums.sum(0) / max(count.sum(), 1.0)
        return found

    def margin(self, other: Tally | None = None) -> Float[np.ndarray, " measures"]:
        """Half of the 95 % interval of the mean, users drawn as wholes; of the difference to another's answers to the same targets."""
        count, sums = self.part(None)
        sums = sums if other is None else sums - other.part(None)[1]
        around = sums - count[:, None] * sums.sum(0) / max(count.sum(), 1.0)
        found: Float[np.ndarray, " measures"] = Z * np.sqrt((around**2).sum(0)) / max(count.sum(), 1.0)
        return found

    def part(self, kind: str | None) -> tuple[Float[np.ndarray, " u"], Float[np.ndarray, "u measures"]]:
        """Counts and sums of one kind of items, or of all."""
        if kind is None:
            return self.count.sum(1), self.sums.sum(1)
        at = KINDS.index(kind)
        return self.count[:, at], self.sums[:, at]

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {"users": list(self.users), "count": self.count.tolist(), "sums": self.sums.tolist()}

    @classmethod
    def read(cls, record: dict[str, Any]) -> Tally:
        """From JSON."""
        return cls(tuple(record["users"]), np.array(record["count"]), np.array(record["sums"]))
