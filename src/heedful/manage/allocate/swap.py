"""Pair swaps: below a fifth of the budget losses no longer add up, so neighbours of the plan are tried as a whole.

A neighbour makes one head cheaper and another dearer within the limits. The most promising ones by the sum of single losses
come first; one that loses less, tried on the calibration batches, takes the plan's place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from heedful.manage.allocate.fill import added, distinct
from heedful.manage.allocate.problem import SLACK, Problem

Choice = Int64[np.ndarray, " units"]
BESIDE = 24  # changes of one unit that pairs are made of


@dataclass(frozen=True, eq=False)
class Found:
    """The best choice, its joint loss, and how many plans were tried."""

    choice: Choice
    joint: float
    tried: int


@dataclass(frozen=True, slots=True)
class Effort:
    """How many plans are tried at most, how many at once, and for how many seconds at most."""

    evaluations: int
    at_once: int = 4
    seconds: float = math.inf


def search(problem: Problem, choice: Choice, joint: float, evaluate: Callable[[list[Choice]], list[float]], effort: Effort) -> Found:
    """Try neighbours, a few at once, until none of the promising ones is better or the effort is spent."""
    best, least, tried, began = choice, joint, 0, time.monotonic()
    seen = {tuple(choice.tolist())}
    while tried < effort.evaluations and time.monotonic() - began < effort.seconds:
        fresh = [near for near in neighbours(problem, best) if tuple(near.tolist()) not in seen]
        fresh = fresh[: min(effort.at_once, effort.evaluations - tried)]
        if not fresh:
            break
        seen.update(tuple(near.tolist()) for near in fresh)
        losses = evaluate(fresh)
        tried += len(fresh)
        if min(losses) < least:
            best, least = fresh[int(np.argmin(losses))], min(losses)
    return Found(best, least, tried)


def neighbours(problem: Problem, choice: Choice) -> list[Choice]:
    """Choices that differ in two units, one cheaper and one dearer, or in one, and keep within the limits: the most promising first."""
    name, units = next(iter(problem.rows)), np.arange(len(choice))
    change = problem.losses - problem.losses[units, choice][:, None]
    cost = added(problem, choice, name)
    possible = problem.permitted & distinct(problem, choice) & (np.arange(change.shape[1]) != choice[:, None])
    dearer = ranked(np.where(possible & (cost > 0) & (change < 0), change, np.inf))
    cheaper = ranked(np.where(possible & (cost < 0), change, np.inf))
    limit = problem.rows[name].limit
    found = [(change[up], changed(choice, up)) for up in dearer]
    for up in dearer:
        for down in cheaper:
            if up[0] != down[0] and cost[up] + cost[down] <= limit * (1 + SLACK):
                found.append((change[up] + change[down], changed(choice, up, down)))
    return [near for _, near in sorted(found, key=lambda each: float(each[0])) if problem.feasible(near)]


def ranked(values: np.ndarray) -> list[tuple[int, int]]:
    """The places of the least numbers, none of the infinite."""
    order = np.argsort(values, axis=None, kind="stable")[:BESIDE]
    places = [divmod(int(place), values.shape[1]) for place in order]
    return [place for place in places if np.isfinite(values[place])]


def changed(choice: Choice, *places: tuple[int, int]) -> Choice:
    """The choice with some units' options exchanged."""
    after = choice.copy()
    for unit, option in places:
        after[unit] = option
    return after
