"""Promotion: where too much was lost, heads get back the attention that saves the most nats for its price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int64

from heedful.manage.allocate.fill import added, distinct
from heedful.manage.allocate.problem import Problem

Choice = Int64[np.ndarray, " units"]
FREE: Final = 1e-12  # a price below which a step costs nothing


@dataclass(frozen=True, slots=True)
class Step:
    """A unit (a head, or heads that share their keys) that takes another option: nats a token saved, and what it costs more."""

    unit: int
    before: int
    after: int
    saved: float
    price: float


def promoted(problem: Problem, choice: Choice, target: float, resource: str) -> tuple[Choice, tuple[Step, ...]]:
    """One step at least, and more until the predicted loss is `target` or less; none where every unit has its best option.

    >>> from heedful.manage.allocate.problem import Row
    >>> losses, costs = np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 1.0], [4.0, 1.0]])
    >>> problem = Problem(losses, np.array([0, 0]), {"milliseconds": Row(costs, np.zeros((1, 2)), 5.0)})
    >>> after, steps = promoted(problem, np.array([1, 1]), 2.0, "milliseconds")
    >>> after.tolist(), [(step.unit, step.saved, step.price) for step in steps]
    ([1, 0], [(1, 3.0, 3.0)])
    """
    now, steps = choice.copy(), list[Step]()
    while not steps or problem.loss(now) > target:
        step = best(problem, now, resource)
        if step is None:
            break
        now[step.unit] = step.after
        steps.append(step)
    return now, tuple(steps)


def best(problem: Problem, choice: Choice, resource: str) -> Step | None:
    """The step with the most nats saved for a unit of the resource; those that cost nothing come first, by what they save."""
    units = np.arange(len(choice))
    saved = problem.losses[units, choice][:, None] - problem.losses
    price = added(problem, choice, resource)
    worth = np.where(price > FREE, saved / np.maximum(price, FREE), np.inf)
    worth[(saved <= 0) | ~problem.permitted | ~distinct(problem, choice)] = -np.inf
    if not np.isfinite(np.where(np.isposinf(worth), 0.0, worth)).any():
        return None
    top = worth == worth.max()
    unit, after = np.unravel_index(np.where(top, saved, -np.inf).argmax(), worth.shape)
    return Step(int(unit), int(choice[unit]), int(after), float(saved[unit, after]), float(price[unit, after]))
