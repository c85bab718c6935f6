"""The least that attention can take, and the refusal of budgets below it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from heedful.manage.allocate.hull import Unmet, answered, sets_of
from heedful.manage.allocate.problem import SLACK, Problem
from heedful.manage.allocate.reasons import amount


def least(problem: Problem, resource: str) -> float:
    """What the cheapest choice takes of one resource.

    >>> from heedful.manage.allocate.problem import Row
    >>> rows = {"bytes": Row(np.array([[4.0, 1.0]]), np.zeros((1, 2)), 3.0)}
    >>> least(Problem(np.array([[0.0, 1.0]]), np.array([0]), rows), "bytes")
    1.0
    """
    row = problem.rows[resource]
    alone = replace(problem, losses=np.zeros(problem.losses.shape), rows={resource: replace(row, limit=1.0)})
    choice, _ = answered(alone, np.ones(1), sets_of(problem))
    return problem.spent(choice)[resource]


def check(problem: Problem) -> None:
    """Raise `Unmet` where a limit is below the least there is to take, or where options that are not wanted make it so."""
    for resource, row in problem.rows.items():
        floor = least(problem, resource)
        if floor > row.limit * (1 + SLACK):
            raise Unmet(
                f"the budget of {amount(resource, row.limit)} cannot be met: the cheapest options take {amount(resource, floor)}; "
                f"{amount(resource, floor)} or more, or a profile with cheaper options, would work"
            )
