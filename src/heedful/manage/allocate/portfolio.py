"""The portfolio: the knapsack solved under every estimator's losses, and the plan chosen that loses least as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from heedful.manage.allocate.case import Case
from heedful.manage.allocate.joint import Trial
from heedful.manage.allocate.problem import Solution
from heedful.manage.allocate.solve import solve

Choice = Int64[np.ndarray, " units"]
FIRST = "fisher"  # decides where whole plans cannot be tried


@dataclass(frozen=True, eq=False)
class Chosen:
    """The choice, whose estimator it came from, the solution under the reference estimator, and the joint losses of all."""

    choice: Choice
    estimator: str
    reference: str
    solution: Solution
    joint: Mapping[str, float]


def choose(case: Case, estimators: Sequence[str], trial: Trial | None, tell: Callable[[str], None] = lambda text: None) -> Chosen:
    """Solve under each estimator, try the plans that differ, and take the best; without a trial the first estimator's.

    The reference, whose losses and bound are reported, is the Fisher estimate where there is one.
    """
    reference = FIRST if FIRST in estimators else estimators[0]
    solved = {}
    for name in dict.fromkeys((reference, *(estimators if trial is not None else ()))):
        tell(f"allocation by {name}")
        solved[name] = solve(case.problem(name))
    if trial is None:
        return Chosen(solved[reference].choice, reference, reference, solved[reference], {})
    tell(f"{len(solved)} plans tried on calibration batches")
    joint = tried(case, solved, trial)
    best = min(joint, key=lambda name: (joint[name], name != reference))
    return Chosen(solved[best].choice, best, reference, solved[reference], joint)


def tried(case: Case, solved: Mapping[str, Solution], trial: Trial) -> dict[str, float]:
    """The joint loss of each estimator's plan; plans that are the same are tried once."""
    names = {estimator: case.names(solution.choice) for estimator, solution in solved.items()}
    distinct = list(dict.fromkeys(names.values()))
    losses = dict(zip(distinct, trial.joint(distinct), strict=True))
    return {estimator: losses[plan] for estimator, plan in names.items()}
