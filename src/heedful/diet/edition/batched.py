"""Many editions at once: what `greedy` chooses before its exchanges, for all readers (or all draws of a value) in a few array operations.

Equal to `greedy(..., rounds=0)` item by item, but where two items gain the same a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.diet.edition.menu import SLACK, Diet
from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class Menus:
    """n candidates for each of r readers; a group g of a facet is called str(g) in the diet.

    Arguments:
        values, minutes: (r, n); candidates whose minutes are infinite are not there.
        facets: (r, n) groups from 0 by facet.
        story: (r, n) numbers from 0; None where stories are not told apart.
    """

    values: Float[np.ndarray, "r n"]
    minutes: Float[np.ndarray, "r n"]
    facets: Mapping[str, Int[np.ndarray, "r n"]]
    story: Int[np.ndarray, "r n"] | None = None

    def __post_init__(self) -> None:
        found = [x.shape for x in (self.values, self.minutes, *self.facets.values())]
        if len(set(found)) > 1 or len(found[0]) != 2 or not found[0][1]:
            raise UsageError(f"values, minutes and facets of one shape (readers, candidates) would work: found {found}")


class Group:
    """The minutes of one facet's groups, for all readers."""

    def __init__(self, facet: str, of: Int[np.ndarray, "r n"], diet: Diet) -> None:
        self.of, self.size = of, int(of.max()) + 1
        labels = [str(g) for g in range(self.size)]
        bounds = [bound for bound in diet.bounds if bound.facet == facet]
        self.most = self.limits([[b.most for b in bounds if b.group in (None, x)] for x in labels], least=False) * diet.minutes
        self.least = self.limits([[b.least for b in bounds if b.group in (None, x)] for x in labels], least=True) * diet.minutes
        wants = [want for want in diet.appetites if want.facet == facet]
        self.wants = [(w.weight, np.array([w.targets.get(x, w.target) for x in labels]) * diet.minutes / 2) for w in wants]
        self.bounded = any(bound.most < 1 for bound in bounds)
        self.taken = np.zeros((len(of), self.size))

    @staticmethod
    def limits(shares: list[list[float]], least: bool) -> Float[np.ndarray, " g"]:
        """The tightest bound of each group."""
        return np.array([max([0.0, *found]) if least else min([1.0, *found]) for found in shares])

    def covers(self, rows: Int[np.ndarray, " a"], minutes: Float[np.ndarray, "a n"]) -> Float[np.ndarray, "a n"]:
        """What each candidate would add to coverage."""
        total = np.zeros_like(minutes)
        of = self.of[rows]
        before = np.take_along_axis(self.taken[rows], of, 1)
        for weight, half in self.wants:
            top = half[of]
            total += weight * (stretches(before + minutes, top) - stretches(before, top))
        return total

    def room(self, rows: Int[np.ndarray, " a"], minutes: Float[np.ndarray, "a n"]) -> Bool[np.ndarray, "a n"]:
        """Whether each fits under its group's ceiling."""
        of = self.of[rows]
        found: Bool[np.ndarray, "a n"] = np.take_along_axis(self.taken[rows], of, 1) + (minutes - SLACK) <= self.most[of]
        return found


def stretches(minutes: Float[np.ndarray, "a n"], half: Float[np.ndarray, "a n"]) -> Float[np.ndarray, "a n"]:
    """`Slope.at` for arrays, of weight 1."""
    found: Float[np.ndarray, "a n"] = np.minimum(minutes, half) + 0.5 * np.minimum(np.maximum(minutes - half, 0.0), half)
    return found


class Tables:
    """All editions while they are made."""

    def __init__(self, menus: Menus, diet: Diet) -> None:
        r = len(menus.values)
        self.menus, self.diet = menus, diet
        self.there = np.isfinite(menus.minutes)
        self.minutes = np.where(self.there, menus.minutes, 1.0)
        self.base = menus.values - diet.worth * self.minutes
        self.groups = {facet: Group(facet, of, diet) for facet, of in menus.facets.items()}
        self.spent = np.zeros(r)
        self.told = None if menus.story is None or not diet.redundancy else np.zeros((r, int(menus.story.max()) + 1))
        self.picks: list[Int[np.ndarray, " r"]] = []

    def density(self, rows: Int[np.ndarray, " a"]) -> Float[np.ndarray, "a n"]:
        """What each candidate gains a minute now; -inf for those that do not fit."""
        minutes, fits = self.minutes[rows], self.there[rows] & (self.spent[rows, None] + (self.minutes[rows] - SLACK) <= self.diet.minutes)
        gain = self.base[rows]
        for group in self.groups.values():
            if group.wants:
                gain = gain + group.covers(rows, minutes)
            if group.bounded:
                fits &= group.room(rows, minutes)
        if self.told is not None and self.menus.story is not None:
            gain = gain - self.diet.redundancy * (np.take_along_axis(self.told[rows], self.menus.story[rows], 1) > 0)
        return np.where(fits, gain / minutes, -np.inf)

    def take(self, rows: Int[np.ndarray, " a"], best: Int[np.ndarray, " a"]) -> None:
        """Put one candidate into each of these editions."""
        minutes = self.minutes[rows, best]
        self.there[rows, best] = False
        self.spent[rows] += minutes
        for group in self.groups.values():
            group.taken[rows, group.of[rows, best]] += minutes
        if self.told is not None and self.menus.story is not None:
            self.told[rows, self.menus.story[rows, best]] += 1
        picked = np.full(len(self.spent), -1)
        picked[rows] = best
        self.picks.append(picked)

    def fill(self) -> None:
        """The best a minute that fits, again and again, while it gains."""
        rows = np.arange(len(self.spent))
        while len(rows):
            density = self.density(rows)
            best = density.argmax(1)
            gains = density[np.arange(len(rows)), best] > 0
            rows, best = rows[gains], best[gains]
            if len(rows):
                self.take(rows, best)

    def floor(self, group: Group, number: int) -> None:
        """The best a minute of one group, until its floor holds or nothing of it fits."""
        rows = np.arange(len(self.spent))
        while len(rows):
            rows = rows[group.taken[rows, number] < group.least[number] - SLACK]
            density = np.where(group.of[rows] == number, self.density(rows), -np.inf)
            best = density.argmax(1) if len(rows) else rows
            fits = density[np.arange(len(rows)), best] > -np.inf
            rows, best = rows[fits], best[fits]
            if len(rows):
                self.take(rows, best)


def batched(menus: Menus, diet: Diet) -> Int[np.ndarray, "r l"]:
    """(r, l) the candidates of each reader's edition in the order they were taken, then -1.

    >>> menus = Menus(np.array([[20.0, 30.0, 1.0]]), np.array([[5.0, 20.0, 5.0]]), {})
    >>> batched(menus, Diet(minutes=12.0)).tolist()
    [[0, 2]]

    Raises `UsageError` for arrays of different shapes.
    """
    tables = Tables(menus, diet)
    floors = [(-least, k, g) for k, group in enumerate(tables.groups.values()) for g, least in enumerate(group.least) if least]
    for _, k, g in sorted(floors):
        tables.floor(list(tables.groups.values())[k], g)
    tables.fill()
    return compact(np.stack(tables.picks, axis=1)) if tables.picks else np.full((len(menus.values), 0), -1)


def compact(picks: Int[np.ndarray, "r l"]) -> Int[np.ndarray, "r l"]:
    """The same rows with their -1 at the end.

    >>> compact(np.array([[-1, 3, -1], [1, -1, 2]])).tolist()
    [[3, -1], [1, 2]]
    """
    order = np.argsort(picks < 0, axis=1, kind="stable")
    found = np.take_along_axis(picks, order, 1)
    return found[:, : int((found >= 0).sum(1).max(initial=0))]
