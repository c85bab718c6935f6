"""Which log of interactions is read, and how it is put in order and split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, positive, require, within

Split = Literal["time", "leave-one-out"]
Ties = Literal["random", "file", "item"]


@dataclass(frozen=True)
class LogDataSpec:
    """A log of who took what when.

    `source` is a table of interactions, a folder (MovieLens, S3-Rec and Open Bandit layouts, or interactions, items and users tables), a
    set by name, or simulated-reader. `user`, `item`, `time` and `value` (a rating, dwell time or price) name the columns of a table
    (None: found by their usual names); `least` leaves out what is valued lower, `core` the users with fewer interactions. `items` and
    `users` are tables of their texts and attributes.

    `split` time takes the last shares of the log for `test` and `validation`, at one moment for everybody; leave-one-out takes each
    user's last interaction and the one before it. `until` ends the log earlier: 0.9 and 0.8 are cuts that roll back. Equal times are
    put in `ties` order: at random by `seed`, as in the file, or by the item's name. Without `repeats` an interaction with an item
    that the user had before is left out, and no such item is recommended. `vocabulary` is the most items (None: all).

    >>> LogDataSpec("ml-latest-small", least=3.5).split
    'time'
    """

    source: str = "simulated-reader"
    user: str | None = None
    item: str | None = None
    time: str | None = None
    value: str | None = None
    items: str | None = None
    users: str | None = None
    least: float | None = None
    core: int = 1
    split: Split = "time"
    validation: float = 0.1
    test: float = 0.1
    until: float = 1.0
    ties: Ties = "random"
    seed: int = 0
    repeats: bool = False
    vocabulary: int | None = None
    encoding: str = "utf-8"
    tokenizer: Literal["items"] = "items"
    kind: Literal["interactions"] = "interactions"

    def __post_init__(self) -> None:
        one_of("split", self.split, get_args(Split))
        one_of("ties", self.ties, get_args(Ties))
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on what it has not seen")
        require(
            self.validation + self.test < 1, "validation", f"and test leave nothing to train on: {self.validation + self.test:g} together"
        )
        require(0 < self.until <= 1, "until", f"must lie in (0, 1], found {self.until:g}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")
        positive({"core": self.core, "vocabulary": self.vocabulary})
