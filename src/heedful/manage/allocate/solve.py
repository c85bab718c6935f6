"""Solving one knapsack: the relaxation first, then HiGHS within its time, where scipy is installed."""

from __future__ import annotations

from heedful.manage.allocate import hull
from heedful.manage.allocate.problem import Problem, Solution

SECONDS = 4.0


def solve(problem: Problem, *, seconds: float = SECONDS) -> Solution:
    """The best choice within the limits that was found, and the bound; `Unmet` where there is none."""
    try:
        from heedful.manage.allocate import milp
    except ImportError:
        return hull.solve(problem)
    try:
        near = hull.solve(problem)
    except hull.Unmet:  # several limits at once may leave room that prices alone do not find
        found = milp.search(problem, seconds=seconds)
        if found is None:
            raise
        return found
    return milp.improve(problem, near, seconds=seconds)
