"""The knapsack: units that take one option each, what options lose and cost, what a layer's groups cost, and the limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64

from heedful.errors import UsageError

SLACK = 1e-9  # of a limit, for sums in floating point
MOST = 3  # distinct options in a layer


@dataclass(frozen=True, eq=False)
class Row:
    """One resource: what each unit's options take, what a layer pays once for each option in use, and the limit.

    `begins` is what a layer pays once where it uses any option that is not free; nothing unless given.
    """

    costs: Float64[np.ndarray, "units options"]
    openings: Float64[np.ndarray, "layers options"]
    limit: float
    begins: Float64[np.ndarray, " layers"] | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """Choose one option a unit, of least loss, such that every row stays within its limit.

    Arguments:
        losses: what each unit's options lose. layers: the layer of each unit, rising from 0.
        rows: the resources that are bounded.
        allowed: which options a unit may take; all unless given.
        most: how many distinct options one layer may use.
        free: the options (such as leaving heads out) with which a layer does not begin; none unless given.

    >>> losses, costs = np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 1.0], [4.0, 1.0]])
    >>> problem = Problem(losses, np.array([0, 0]), {"milliseconds": Row(costs, np.zeros((1, 2)), 5.0)})
    >>> problem.feasible(np.array([1, 0])), problem.loss(np.array([1, 0])), problem.spent(np.array([1, 0]))
    (True, 1.0, {'milliseconds': 5.0})
    """

    losses: Float64[np.ndarray, "units options"]
    layers: Int64[np.ndarray, " units"]
    rows: Mapping[str, Row]
    allowed: Bool[np.ndarray, "units options"] | None = None
    most: int = MOST
    free: Bool[np.ndarray, " options"] | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.losses).all():
            raise UsageError("losses are finite numbers: a profile that holds others is of a model that computes NaN")
        if not self.permitted.any(1).all():
            raise UsageError("every head needs an option that it may take")

    @cached_property
    def permitted(self) -> Bool[np.ndarray, "units options"]:
        """What each unit may take."""
        return np.ones(self.losses.shape, dtype=bool) if self.allowed is None else self.allowed

    @cached_property
    def paying(self) -> Bool[np.ndarray, " options"]:
        """The options with which a layer begins."""
        return np.ones(self.losses.shape[1], dtype=bool) if self.free is None else ~self.free

    def begins(self, name: str) -> Float64[np.ndarray, " layers"]:
        """What each layer pays of a resource where it begins."""
        found = self.rows[name].begins
        return np.zeros(self.depth) if found is None else found

    @property
    def depth(self) -> int:
        """How many layers."""
        return int(self.layers.max()) + 1

    @cached_property
    def members(self) -> tuple[Int64[np.ndarray, " n"], ...]:
        """The units of each layer."""
        return tuple(np.flatnonzero(self.layers == layer) for layer in range(self.depth))

    def loss(self, choice: Int64[np.ndarray, " units"]) -> float:
        """The sum over units."""
        return float(self.losses[np.arange(len(choice)), choice].sum())

    def used(self, choice: Int64[np.ndarray, " units"]) -> Bool[np.ndarray, "layers options"]:
        """Which options each layer uses."""
        table = np.zeros((self.depth, self.losses.shape[1]), dtype=bool)
        table[self.layers, choice] = True
        return table

    def spent(self, choice: Int64[np.ndarray, " units"]) -> dict[str, float]:
        """What each row's resource comes to."""
        used, units = self.used(choice), np.arange(len(choice))
        begun = used[:, self.paying].any(1)
        return {
            name: float(row.costs[units, choice].sum() + row.openings[used].sum() + self.begins(name)[begun].sum())
            for name, row in self.rows.items()
        }

    def feasible(self, choice: Int64[np.ndarray, " units"]) -> bool:
        """Whether all rules hold."""
        units = np.arange(len(choice))
        if not self.permitted[units, choice].all() or self.used(choice).sum(1).max() > self.most:
            return False
        spent = self.spent(choice)
        return all(spent[name] <= row.limit * (1 + SLACK) for name, row in self.rows.items())

    def with_losses(self, losses: Float64[np.ndarray, "units options"]) -> Problem:
        """The same units and costs under another estimate of what is lost."""
        return replace(self, losses=losses)


@dataclass(frozen=True, eq=False)
class Solution:
    """A choice for each unit, its loss, a loss below which no choice within the limits can come, and what a better one may hold."""

    choice: Int64[np.ndarray, " units"]
    loss: float
    bound: float
    method: str
    worth: Bool[np.ndarray, "units options"]
