"""Which options can still be part of a better choice: at the best prices, forcing any other already costs more than is known to do.

Reduced-cost fixing, over whole sets of a layer's options: it leaves a small program of a large one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from heedful.manage.allocate.problem import Problem

Sets = tuple[Int64[np.ndarray, "sets size"], ...]
Table = Float64[np.ndarray, "units options"]


class Opening(NamedTuple):
    """What one layer pays for the options it uses: for each of them, and `begin` once where any of them is `paying`."""

    each: Float64[np.ndarray, " options"]
    begin: float
    paying: Bool[np.ndarray, " options"]

    def of(self, some: Int64[np.ndarray, "sets size"]) -> Float64[np.ndarray, " sets"]:
        """For sets of options."""
        total: Float64[np.ndarray, " sets"] = self.each[some].sum(1) + self.begin * self.paying[some].any(1)
        return total


def priced(problem: Problem, prices: Float64[np.ndarray, " rows"]) -> tuple[Table, list[Opening], float]:
    """Losses and openings with the resources paid for, the whole of a limit at its price, and what the limits give back.

    >>> from heedful.manage.allocate.problem import Row
    >>> problem = Problem(np.array([[0.0, 1.0]]), np.array([0]), {"bytes": Row(np.array([[4.0, 1.0]]), np.zeros((1, 2)), 2.0)})
    >>> values, opening, back = priced(problem, np.array([1.0]))
    >>> values.tolist(), back
    ([[2.0, 1.5]], -1.0)
    """
    values, opening, back = problem.losses.copy(), np.zeros((problem.depth, problem.losses.shape[1])), 0.0
    begins = np.zeros(problem.depth)
    for price, (name, row) in zip(prices, problem.rows.items(), strict=True):
        scale = price / max(row.limit, 1e-30)
        values += scale * row.costs
        opening += scale * row.openings
        begins += scale * problem.begins(name)
        back -= scale * row.limit
    values[~problem.permitted] = np.inf
    return values, [Opening(each, float(begin), problem.paying) for each, begin in zip(opening, begins, strict=True)], float(back)


def worth(problem: Problem, prices: Float64[np.ndarray, " rows"], sets: Sets, most: float) -> Bool[np.ndarray, "units options"]:
    """Which option of which unit may be in a choice that loses less than `most`."""
    values, opening, total = priced(problem, prices)
    forced = np.full(values.shape, np.inf)
    for layer, members in enumerate(problem.members):
        forced[members], least = forcing(values[members], opening[layer], sets)
        forced[members] -= least
        total += least
    return np.asarray((total + forced <= most) & problem.permitted)


def forcing(values: Table, opening: Opening, sets: Sets) -> tuple[Table, float]:
    """One layer's least value where a unit must take an option, for each; and where none must."""
    forced, least = np.full(values.shape, np.inf), np.inf
    for some in sets:
        own = values[:, some].min(2)
        totals = own.sum(0) + opening.of(some)
        least = min(least, float(totals.min()))
        others = np.where(np.isfinite(own), totals - np.where(np.isfinite(own), own, 0.0), np.inf)
        for place in range(some.shape[1]):
            for option in np.unique(some[:, place]):
                at = some[:, place] == option
                forced[:, option] = np.minimum(forced[:, option], others[:, at].min(1) + values[:, option])
    return forced, least
