"""The knapsack as a mixed integer program for HiGHS (Huangfu & Hall 2018), through scipy.optimize.milp.

min Σ L[u,k] x[u,k]    Σ_k x[u,k] = 1    x[u,k] ≤ g[l(u),k]    Σ_k g[l,k] ≤ 3
Σ c[u,k] x[u,k] + Σ a[l,k] g[l,k] + Σ b[l] z[l] ≤ limit    for each bounded resource; g[l,k] ≤ z[l] but for options that are free
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack, vstack

from heedful.manage.allocate.problem import Problem, Solution
from heedful.manage.allocate.silence import silenced

GAP = 5e-4  # losses are estimates: closer is of no use
SECONDS = 4.0


def improve(problem: Problem, near: Solution, *, seconds: float = SECONDS, gap: float = GAP) -> Solution:
    """The best choice within the limits, or the better of `near` and the best found in that time; and the higher bound.

    >>> from heedful.manage.allocate import hull
    >>> from heedful.manage.allocate.problem import Row
    >>> losses, costs = np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 1.0], [4.0, 1.0]])
    >>> problem = Problem(losses, np.array([0, 0]), {"milliseconds": Row(costs, np.zeros((1, 2)), 5.0)})
    >>> improve(problem, hull.solve(problem)).choice.tolist()
    [1, 0]
    """
    if near.loss - near.bound <= gap * abs(near.loss):
        return near
    kept = near.worth.copy()
    kept[np.arange(len(kept)), near.choice] = True
    found = answered(Program(problem, kept, near.loss), seconds, gap)
    bound = min(max(near.bound, found.bound), near.loss)
    if found.choice is None or found.loss > near.loss:
        return replace(near, bound=bound)
    return replace(near, choice=found.choice, loss=found.loss, bound=min(bound, found.loss), method="milp")


def search(problem: Problem, *, seconds: float = SECONDS, gap: float = GAP) -> Solution | None:
    """A choice within the limits where none is known; None where none was found in that time."""
    scale = float(np.abs(problem.losses[problem.permitted]).mean()) * len(problem.losses)
    found = answered(Program(problem, problem.permitted, max(scale, 1e-30)), seconds, gap)
    if found.choice is None:
        return None
    return Solution(found.choice, found.loss, min(found.bound, found.loss), "milp", problem.permitted)


@dataclass(frozen=True, eq=False)
class Answer:
    """What HiGHS said, checked by the problem's own rules."""

    choice: Int64[np.ndarray, " units"] | None
    loss: float
    bound: float


def answered(program: Program, seconds: float, gap: float) -> Answer:
    """Run HiGHS."""
    with silenced():
        found = milp(
            program.objective,
            integrality=program.whole,
            bounds=Bounds(0, 1),
            constraints=program.rules,
            options={"time_limit": seconds, "mip_rel_gap": gap},
        )
    bound = -np.inf if found.mip_dual_bound is None else float(found.mip_dual_bound) * program.scale
    choice = None if found.x is None else program.choice(found.x)
    if choice is None or not program.problem.feasible(choice):
        return Answer(None, np.inf, bound)
    return Answer(choice, program.problem.loss(choice), bound)


@dataclass(frozen=True, eq=False)
class Program:
    """Variables: x for each option that is kept, then g for each of a layer's options, then z for each layer that begins.

    Losses are in units of `scale`, about the loss to be reached: HiGHS takes small differences for none.
    """

    problem: Problem
    kept: Bool[np.ndarray, "units options"]
    scale: float

    @cached_property
    def pairs(self) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
        """Unit and option of each x."""
        units, options = np.nonzero(self.kept)
        return units, options

    @property
    def number(self) -> int:
        """How many x there are."""
        return len(self.pairs[0])

    @cached_property
    def grouped(self) -> bool:
        """Whether layers matter: groups cost something, or more than the most options could be used."""
        costly = any(row.openings.any() or row.begins is not None for row in self.problem.rows.values())
        return costly or self.problem.losses.shape[1] > self.problem.most

    @property
    def opened(self) -> int:
        """How many g there are."""
        return self.problem.depth * self.problem.losses.shape[1] if self.grouped else 0

    @property
    def groups(self) -> int:
        """How many g and z there are."""
        return self.opened + (self.problem.depth if self.grouped else 0)

    @property
    def objective(self) -> Float64[np.ndarray, " n"]:
        """The losses of the x."""
        return np.concatenate([self.problem.losses[self.pairs] / self.scale, np.zeros(self.groups)])

    @property
    def whole(self) -> Int64[np.ndarray, " n"]:
        """All are whole numbers."""
        return np.ones(self.number + self.groups, dtype=np.int64)

    @property
    def rules(self) -> list[LinearConstraint]:
        """One option a unit; a group for each option in use; at most so many groups; the limits."""
        units, options = self.pairs
        columns = np.arange(self.number)
        single = csr_array((np.ones(self.number), (units, columns)), shape=(len(self.problem.losses), self.number))
        found = [LinearConstraint(self.wide(single), 1, 1), self.limits()]
        if not self.grouped:
            return found
        at = self.problem.layers[units] * self.problem.losses.shape[1] + options
        opened = csr_array((np.ones(self.number), (columns, at)), shape=(self.number, self.groups))
        each = csr_array((np.ones(self.number), (columns, columns)), shape=(self.number, self.number))
        layers = np.eye(self.problem.depth)
        count = csr_array(np.hstack([np.kron(layers, np.ones(self.problem.losses.shape[1])), 0.0 * layers]))
        begun = csr_array(np.hstack([np.diag(np.tile(self.problem.paying, len(layers)).astype(float)), -np.kron(layers, self.spread)]))
        none, blank = (csr_array((rows, self.number)) for rows in (self.problem.depth, self.opened))
        return [
            *found,
            LinearConstraint(hstack([each, -opened]), -np.inf, 0),
            LinearConstraint(hstack([none, count]), -np.inf, self.problem.most),
            LinearConstraint(hstack([blank, begun]), -np.inf, 0),
        ]

    @property
    def spread(self) -> Float64[np.ndarray, "options 1"]:
        """A column of ones for a layer's options."""
        return np.ones((self.problem.losses.shape[1], 1))

    def limits(self) -> LinearConstraint:
        """Each resource in units of its limit."""
        tables, left = [], []
        for name, row in self.problem.rows.items():
            scale = max(row.limit, 1e-30)
            openings = np.concatenate([row.openings.ravel(), self.problem.begins(name)]) if self.grouped else np.zeros(0)
            tables.append(csr_array(np.concatenate([row.costs[self.pairs], openings])[None] / scale))
            left.append(row.limit / scale)
        return LinearConstraint(vstack(tables), -np.inf, np.array(left))

    def wide(self, table: csr_array) -> csr_array:
        """A table over the x, with nothing for the g."""
        return hstack([table, csr_array((table.shape[0], self.groups))])

    def choice(self, x: Float64[np.ndarray, " n"]) -> Int64[np.ndarray, " units"]:
        """The option of each unit."""
        units, options = self.pairs
        table = np.full(self.problem.losses.shape, -1.0)
        table[units, options] = x[: self.number]
        chosen: Int64[np.ndarray, " units"] = table.argmax(1)
        return chosen
