"""What a policy is taught to want: the weights are the reader's to see and to change."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float

from heedful.errors import UsageError

Column = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Signals:
    """What is seen of how items went, arrays of one shape.

    Arguments:
        opened, finished, saved, revisited: 0 or 1.
        minutes: how long they were read.
        rating, later: "worth my time" 1, "not worth" -1, not said 0; at once and from the next day on.
    """

    opened: Column
    minutes: Column
    finished: Column
    rating: Column
    saved: Column
    revisited: Column
    later: Column


@dataclass(frozen=True)
class Reward:
    """The weights of what came of an item, in minutes well spent.

    >>> one = np.ones(1)
    >>> read = Signals(opened=one, minutes=4 * one, finished=one, rating=one, saved=0 * one, revisited=0 * one, later=0 * one)
    >>> Reward()(read).tolist()        # finished 0.1 x 4 minutes, worth it 1.0 x 4 minutes
    [4.4]
    >>> Reward.clicks()(read).tolist()
    [1.0]

    Arguments:
        opened: for an item that was opened, however long.
        minutes: for every minute it was read.
        finished: for every minute of one that was read to its end.
        worth: for every minute of one called worth it; taken off for one called not worth it.
        delayed: for every minute of one that was saved, read again, or called worth it on a later day; taken off if not worth it then.

    Raises `UsageError` for weights that are not finite.
    """

    opened: float = 0.0
    minutes: float = 0.0
    finished: float = 0.1
    worth: float = 1.0
    delayed: float = 1.0

    def __post_init__(self) -> None:
        for name, weight in asdict(self).items():
            if not abs(weight) < float("inf"):
                raise UsageError(f"the weight of {name} is {weight}: a finite number would work")

    def __call__(self, seen: Signals) -> Column:
        """What items earned."""
        later = seen.saved + seen.revisited + seen.later
        found: Column = self.opened * seen.opened + seen.minutes * (
            self.minutes + self.finished * seen.finished + self.worth * seen.rating + self.delayed * later
        )
        return found

    @classmethod
    def clicks(cls) -> Reward:
        """What much of the web is trained for: to be opened, and nothing else."""
        return cls(opened=1.0, finished=0.0, worth=0.0, delayed=0.0)
