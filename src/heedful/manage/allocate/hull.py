"""Lagrangian relaxation: prices on the resources, the best set of options of every layer at those prices, and a greedy finish.

With costs of groups and a bound on distinct options the layers stay independent once the limits are priced, so each layer's
best set is found by looking at all of them. The greatest value of the priced problem is the lower bound that is printed; it
follows the lower convex hull of each layer's choices, as the greedy of Sinha & Zoltners 1979 (multiple-choice knapsack) does
of each head's. Fisher 1981, "The Lagrangian relaxation method for solving integer programming problems".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64

from heedful.errors import HeedfulError
from heedful.manage.allocate.fill import filled, joined
from heedful.manage.allocate.problem import SLACK, Problem, Solution
from heedful.manage.allocate.reduce import Opening, Sets, priced, worth

HALVINGS = 40
DOUBLINGS = 120
PLANES = 40
TURNS = 4  # for the resources to settle, where none yet keeps within all limits
PRECISE = 1e-6
START = 1e-9  # nats for the whole of a limit

Prices = Float64[np.ndarray, " rows"]
Choice = Int64[np.ndarray, " units"]


class Unmet(HeedfulError):
    """No choice keeps within the limits."""


def solve(problem: Problem) -> Solution:
    """A choice within the limits, near the best, and the bound; `Unmet` where there is none.

    >>> from heedful.manage.allocate.problem import Row
    >>> losses, costs = np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 1.0], [4.0, 1.0]])
    >>> found = solve(Problem(losses, np.array([0, 0]), {"milliseconds": Row(costs, np.zeros((1, 2)), 5.0)}))
    >>> found.choice.tolist(), found.loss, round(found.bound, 3)
    ([1, 0], 1.0, 1.0)
    """
    search = Search.of(problem)
    search.run()
    if search.best is None:
        raise Unmet("no choice of options keeps within all limits together")
    choice = filled(problem, joined(problem, search.best, search.beyond))
    loss = problem.loss(choice)
    bound = min(search.bound, loss)
    return Solution(choice, loss, bound, "hull-greedy", worth(problem, search.dual, search.sets, loss))


@dataclass(slots=True, eq=False)
class Search:
    """Prices tried so far: the highest bound, the best choice within the limits, and the last one beyond them."""

    problem: Problem
    sets: Sets
    prices: Prices
    dual: Prices  # those of the highest bound
    bound: float = -np.inf
    best: Choice | None = None
    beyond: Choice | None = None
    cuts: list[Float64[np.ndarray, " n"]] = field(default_factory=list)  # each a height at no prices, and slopes

    @staticmethod
    def of(problem: Problem) -> Search:
        """All sets of options that a layer may use, and no prices yet."""
        none = np.zeros(len(problem.rows))
        return Search(problem, sets_of(problem), none, none)

    def run(self) -> None:
        """Raise each resource's price until its limit holds; where there are several, then find their best prices together."""
        if not any(self.look(self.prices)):
            return
        for turn in range(TURNS * len(self.prices)):
            if turn < len(self.prices) or self.best is None:
                self.settle(turn % len(self.prices))
        if len(self.prices) > 1:
            self.together()
            self.prices = self.dual.copy()
            self.out()
        for _ in range(DOUBLINGS):
            if self.best is not None:
                return
            self.prices = np.maximum(self.prices, START) * 2
            self.look(self.prices)

    def together(self) -> None:
        """Kelley's cutting planes: each look bounds the priced problem from above; the bounds' highest point is looked at next."""
        box = 4 * float(max(self.prices.max(), START))
        for _ in range(PLANES):
            found = highest(self.cuts, box)
            if found is None or found[1] - self.bound <= PRECISE * abs(self.bound):
                return
            self.look(found[0])

    def out(self) -> None:
        """From the best prices outwards, all alike, to where the limits begin to hold."""
        low, high = 1.0, 1.001
        while any(self.look(self.prices * high)):
            low, high = high, 1 + 2 * (high - 1)
            if high > DOUBLINGS:
                return
        for _ in range(HALVINGS // 4):
            middle = (low + high) / 2
            low, high = (middle, high) if any(self.look(self.prices * middle)) else (low, middle)

    def settle(self, row: int) -> None:
        """The least price of one resource at which its limit holds, the others' staying as they are."""
        low, high = 0.0, max(float(self.prices[row]), START)
        if not self.over(row, 0.0):
            self.prices[row] = 0.0
            return
        for _ in range(DOUBLINGS):
            if not self.over(row, high):
                break
            low, high = high, 2 * high
        for _ in range(HALVINGS):
            if high - low <= PRECISE * high:
                break
            middle = (low * high) ** 0.5 if low else high / 16
            low, high = (middle, high) if self.over(row, middle) else (low, middle)
        self.prices[row] = high

    def over(self, row: int, price: float) -> bool:
        """Whether the resource's limit is broken at that price of it."""
        prices = self.prices.copy()
        prices[row] = price
        return self.look(prices)[row]

    def look(self, prices: Prices) -> list[bool]:
        """Solve the priced problem, remember what it is good for, and say which limits its choice breaks."""
        problem = self.problem
        choice, value = answered(problem, prices, self.sets)
        if value > self.bound:
            self.bound, self.dual = value, prices.copy()
        spent = problem.spent(choice)
        slope = np.array([spent[name] / max(row.limit, 1e-30) - 1 for name, row in problem.rows.items()])
        self.cuts.append(np.array([value - float(slope @ prices), *slope]))
        broken = [bool(each > SLACK) for each in slope]
        if any(broken):
            self.beyond = choice
        elif self.best is None or problem.loss(choice) < problem.loss(self.best):
            self.best = choice
        return broken


def sets_of(problem: Problem) -> Sets:
    """All sets of options that a layer may use, by their size."""
    options = problem.losses.shape[1]
    return tuple(np.array(list(combinations(range(options), size))) for size in range(1, min(problem.most, options) + 1))


def highest(cuts: list[Float64[np.ndarray, " n"]], box: float) -> tuple[Prices, float] | None:
    """The prices, none above `box`, at which the least of the bounds is greatest, and that; None where scipy is not installed."""
    try:
        from scipy.optimize import linprog
    except ImportError:
        return None
    table = np.array(cuts)
    heights, slopes = table[:, 0], table[:, 1:]
    rows = slopes.shape[1]
    rule = np.hstack([-slopes, np.ones((len(table), 1))])  # z - slope · prices <= height
    found = linprog([*np.zeros(rows), -1.0], A_ub=rule, b_ub=heights, bounds=[*[(0, box)] * rows, (None, None)])
    return None if found.x is None else (found.x[:rows], float(found.x[rows]))


def answered(problem: Problem, prices: Prices, sets: Sets) -> tuple[Choice, float]:
    """Each layer's best choice where the whole of each limit costs so many nats, and the value: a bound on the loss within the limits."""
    values, opening, total = priced(problem, prices)
    choice = np.empty(len(values), dtype=np.int64)
    for layer, members in enumerate(problem.members):
        chosen, least = cheapest(values[members], opening[layer], sets)
        choice[members] = chosen[values[members][:, chosen].argmin(1)]
        total += least
    return choice, total


def cheapest(values: Float64[np.ndarray, "units options"], opening: Opening, sets: Sets) -> tuple[Int64[np.ndarray, " size"], float]:
    """The set of options of least value for one layer, each unit taking its best among them."""
    best, least = sets[0][0], np.inf
    for some in sets:
        totals = values[:, some].min(2).sum(0) + opening.of(some)
        at = int(totals.argmin())
        if totals[at] < least:
            best, least = some[at], float(totals[at])
    return best, least
