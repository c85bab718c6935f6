"""Minutes by group while an edition is made, and what one item more would add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from heedful.diet.edition.menu import SLACK, Candidate, Diet, Share


class Slope(NamedTuple):
    """A group's coverage: `weight` a minute up to half of `target` minutes, half of that up to the whole, nothing beyond."""

    facet: str
    weight: float
    target: float

    def at(self, minutes: float) -> float:
        """What so many minutes are worth; concave.

        >>> [Slope("topic", 2.0, 10.0).at(minutes) for minutes in (0, 5, 10, 20)]
        [0.0, 10.0, 15.0, 15.0]
        """
        half = self.target / 2
        return self.weight * (min(minutes, half) + 0.5 * min(max(minutes - half, 0.0), half))


@dataclass
class Ledger:
    """A diet and its candidates as numbers: groups are counted, and every candidate knows its own."""

    diet: Diet
    candidates: Sequence[Candidate]

    def __post_init__(self) -> None:
        self.values = [one.value for one in self.candidates]
        self.minutes = [one.minutes for one in self.candidates]
        self.names: dict[tuple[str, str], int] = {}
        self.groups = [[self.group(pair) for pair in one.facets.items()] for one in self.candidates]
        budget, facets = self.diet.minutes, [facet for facet, _ in self.names]
        self.slopes: list[list[Slope]] = [[] for _ in facets]
        self.most, self.least = [budget] * len(facets), [0.0] * len(facets)
        for (facet, label), group in self.names.items():
            for want in self.diet.appetites:
                if want.facet == facet:
                    self.slopes[group].append(Slope(facet, want.weight, want.targets.get(label, want.target) * budget))
            for bound in self.diet.bounds:
                if bound.facet == facet and bound.group in (None, label):
                    self.most[group] = min(self.most[group], bound.most * budget)
                    self.least[group] = max(self.least[group], bound.least * budget)
        # what gain() and fits() read, flat: they are asked thousands of times an edition
        self.paid = [self.diet.worth * minutes for minutes in self.minutes]
        self.bends = [[(g, slope.weight, slope.target / 2) for g in groups for slope in self.slopes[g]] for groups in self.groups]
        self.ceilings = [[(g, self.most[g]) for g in groups if self.most[g] < budget] for groups in self.groups]
        self.clear()

    def clear(self) -> None:
        """Nothing is taken."""
        self.spent, self.by_group = 0.0, [0.0] * len(self.names)
        self.stories: dict[str, int] = {}
        self.taken: list[int] = []

    def group(self, pair: tuple[str, str]) -> int:
        """The number of a group, a new one for a new group."""
        return self.names.setdefault(pair, len(self.names))

    def fits(self, i: int) -> bool:
        """Whether there is room for an item, under the budget and the ceilings of its groups."""
        minutes = self.minutes[i] - SLACK
        if self.spent + minutes > self.diet.minutes:
            return False
        return all(self.by_group[g] + minutes <= most for g, most in self.ceilings[i])

    def gain(self, i: int) -> float:
        """What an item adds to the whole, its minutes paid for at their worth; `Slope.at` is written out, to the bit."""
        minutes, total = self.minutes[i], self.values[i] - self.paid[i]
        for g, weight, half in self.bends[i]:
            before = self.by_group[g]
            over = before - half
            if over >= half:
                continue
            after = before + minutes
            much = after if after <= half else half + 0.5 * min(after - half, half)
            total += weight * much - weight * (before if over <= 0 else half + 0.5 * over)
        return total - self.diet.redundancy if self.stories and self.told(i) else total

    def told(self, i: int) -> bool:
        """Whether an item's story is told already."""
        story = self.candidates[i].story
        return story is not None and self.stories.get(story, 0) > 0

    def take(self, i: int) -> None:
        """Put an item in."""
        self.move(i, 1)
        self.taken.append(i)

    def drop(self, i: int) -> None:
        """Take an item out."""
        self.move(i, -1)
        self.taken.remove(i)

    def move(self, i: int, sign: int) -> None:
        """Count an item in or out."""
        one = self.candidates[i]
        self.spent += sign * one.minutes
        for g in self.groups[i]:
            self.by_group[g] += sign * one.minutes
        if one.story is not None:
            self.stories[one.story] = self.stories.get(one.story, 0) + sign

    def short(self) -> list[int]:
        """Groups below their floor."""
        return [g for g, least in enumerate(self.least) if self.by_group[g] < least - SLACK]

    def needed(self, i: int) -> bool:
        """Whether a floor would not hold without an item that is in."""
        minutes = self.candidates[i].minutes
        return any(self.by_group[g] - minutes < self.least[g] - SLACK for g in self.groups[i] if self.least[g])

    def share(self, i: int, floor: int | None = None) -> Share:
        """Why an item is put in now."""
        one = self.candidates[i]
        coverage: dict[str, float] = {}
        for g in self.groups[i]:
            for slope in self.slopes[g]:
                more = slope.at(self.by_group[g] + one.minutes) - slope.at(self.by_group[g])
                coverage[slope.facet] = coverage.get(slope.facet, 0.0) + more
        again = self.diet.redundancy if self.told(i) else 0.0
        return Share(one.key, one.minutes, self.values[i], coverage, again, None if floor is None else self.said(floor))

    def said(self, group: int) -> str:
        """A group in words."""
        facet, label = list(self.names)[group]
        return f"{facet} {label}"
