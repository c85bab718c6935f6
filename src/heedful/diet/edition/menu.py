"""What may be read, what a reader wants of it, and what came of the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from heedful.errors import UsageError

SLACK = 1e-9  # minutes that rounding may add to a sum


@dataclass(frozen=True)
class Candidate:
    """An item that could be read.

    Arguments:
        key: what it is called, once among the candidates.
        minutes: what reading it takes, above 0.
        value: what reading it is worth to the reader, in any unit that adds up; below 0 for what is worse than nothing.
        facets: its group by facet, for example topic, source, viewpoint, depth; a facet may be missing.
        story: what it tells of; further items of one story are worth less.
    """

    key: str
    minutes: float
    value: float
    facets: Mapping[str, str] = field(default_factory=dict)
    story: str | None = None


@dataclass(frozen=True)
class Bound:
    """The minutes of a group, as shares of the budget: at least `least` where there are items for it, at most `most`.

    `group` None stands for every group of the facet by itself.
    """

    facet: str
    group: str | None = None
    least: float = 0.0
    most: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most <= 1:
            name = f"{self.facet} {self.group or '(each)'}"
            raise UsageError(f"{name}: {self.least:g} to {self.most:g} of the minutes: 0 <= least <= most <= 1 would work")
        if self.group is None and self.least:
            raise UsageError(f"{self.facet}: a floor of {self.least:g} for every group there may be: name the group that it is for")


@dataclass(frozen=True)
class Appetite:
    """What it is worth to have a facet covered: `weight` a minute of each group, half of that from half of its target, none beyond it.

    `targets` are shares of the budget by group; a group without one has `target`.
    """

    facet: str
    weight: float
    target: float = 0.2
    targets: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.weight < 0 or min((self.target, *self.targets.values())) < 0:
            raise UsageError(f"{self.facet}: weights and targets must not be negative, found {self.weight:g} and {self.target:g}")


@dataclass(frozen=True)
class Diet:
    """What a reader wants of a day.

    Arguments:
        minutes: the budget; it need not be spent.
        worth: the value of a minute spent otherwise: what is worth less a minute is left out.
        appetites: coverage of facets that is worth something in itself.
        bounds: floors and ceilings on the minutes of groups.
        redundancy: what every further item of one story costs.
    """

    minutes: float
    worth: float = 0.0
    appetites: tuple[Appetite, ...] = ()
    bounds: tuple[Bound, ...] = ()
    redundancy: float = 0.0

    def __post_init__(self) -> None:
        if self.minutes < 0 or self.redundancy < 0:
            raise UsageError(f"minutes and redundancy must not be negative, found {self.minutes:g} and {self.redundancy:g}")


@dataclass(frozen=True)
class Share:
    """Why an item is there: its own value, what it adds to coverage, what its story takes off, and whether a floor asked for it."""

    key: str
    minutes: float
    value: float
    coverage: Mapping[str, float]
    redundancy: float
    floor: str | None = None

    @property
    def gain(self) -> float:
        """All of it together."""
        return self.value + sum(self.coverage.values()) - self.redundancy


@dataclass(frozen=True)
class Edition:
    """The items in the order they were chosen, the minutes they take, the value of the whole, and floors that nothing could fill."""

    shares: tuple[Share, ...]
    budget: float
    total: float
    unmet: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What is read."""
        return tuple(share.key for share in self.shares)

    @property
    def minutes(self) -> float:
        """What that takes."""
        return sum(share.minutes for share in self.shares)


def checked(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates, if each has minutes, a value and a name of its own."""
    seen: set[str] = set()
    for one in candidates:
        if not 0 < one.minutes < float("inf") or not abs(one.value) < float("inf"):
            raise UsageError(f"{one.key}: {one.minutes:g} minutes worth {one.value:g}: minutes above 0 and a finite value would work")
        if one.key in seen:
            raise UsageError(f"{one.key} stands among the candidates twice: each item once would work")
        seen.add(one.key)
    return candidates
