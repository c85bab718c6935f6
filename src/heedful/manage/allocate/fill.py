"""Spending what is left of a budget: whole layers first, then single heads, the best gain for its cost first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from heedful.manage.allocate.problem import SLACK, Problem

Choice = Int64[np.ndarray, " units"]
Table = Float64[np.ndarray, "units options"]


def joined(problem: Problem, within: Choice, beyond: Choice | None) -> Choice:
    """The choice within the limits, with every layer of the better one beyond them that still fits."""
    if beyond is None:
        return within
    choice = within.copy()
    gains = [problem.losses[units, within[units]].sum() - problem.losses[units, beyond[units]].sum() for units in problem.members]
    for layer in np.argsort(gains)[::-1]:
        if gains[layer] <= 0:
            break
        tried = choice.copy()
        tried[problem.members[layer]] = beyond[problem.members[layer]]
        if problem.feasible(tried):
            choice = tried
    return choice


def filled(problem: Problem, choice: Choice) -> Choice:
    """A choice that no change of one unit betters within the limits.

    >>> from heedful.manage.allocate.problem import Row
    >>> problem = Problem(np.array([[0.0, 1.0]]), np.array([0]), {"bytes": Row(np.array([[4.0, 1.0]]), np.zeros((1, 2)), 4.0)})
    >>> filled(problem, np.array([1])).tolist()
    [0]
    """
    choice = choice.copy()
    units = np.arange(len(choice))
    for _ in range(2 * problem.losses.size):
        change = problem.losses - problem.losses[units, choice][:, None]
        possible = (change < 0) & problem.permitted & distinct(problem, choice)
        strain = np.zeros(change.shape)
        for name, spent in problem.spent(choice).items():
            more, limit = added(problem, choice, name), problem.rows[name].limit
            possible &= spent + more <= limit * (1 + SLACK)
            strain += np.maximum(more, 0.0) / max(limit, 1e-30)
        if not possible.any():
            break
        worth = np.where(possible, change / np.maximum(strain, 1e-12), np.inf)
        unit, option = np.unravel_index(int(worth.argmin()), worth.shape)
        choice[unit] = option
    return choice


def added(problem: Problem, choice: Choice, name: str) -> Table:
    """What each change of one unit's option adds to a resource."""
    row, units, layers = problem.rows[name], np.arange(len(choice)), problem.layers
    counts = tally(problem, choice)
    more: Table = np.asarray(row.costs - row.costs[units, choice][:, None], dtype=np.float64)
    more += (row.openings * (counts == 0))[layers]
    more -= (row.openings * (counts == 1))[layers, choice][:, None]
    paying = problem.paying.astype(np.int64)
    begun = (counts @ paying)[layers][:, None]  # units of the layer with which it begins
    after = begun - paying[choice][:, None] + paying
    more += problem.begins(name)[layers][:, None] * ((after > 0).astype(np.float64) - (begun > 0))
    more[units, choice] = 0.0
    return more


def distinct(problem: Problem, choice: Choice) -> Bool[np.ndarray, "units options"]:
    """Which changes of one unit keep its layer within the number of distinct options."""
    counts, layers, stays = tally(problem, choice), problem.layers, np.arange(problem.losses.shape[1]) == choice[:, None]
    closes = (counts == 1)[layers, choice][:, None] & ~stays
    after = (counts > 0).sum(1)[layers][:, None] + (counts == 0)[layers] - closes
    return np.asarray(after <= problem.most)


def tally(problem: Problem, choice: Choice) -> Int64[np.ndarray, "layers options"]:
    """How many units of each layer have each option."""
    counts = np.zeros((problem.depth, problem.losses.shape[1]), dtype=np.int64)
    np.add.at(counts, (problem.layers, choice), 1)
    return counts
