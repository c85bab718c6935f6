"""How long the allocation takes, and how far it is from the bound: python benchmarks/allocation.py [--seconds 4]

Correct first: on instances small enough to try every choice, the relaxation's bound, the optimum, HiGHS and the greedy choice
stand in this order. Then models from 8 x 8 to 64 x 64 heads with 12 options, with and without costs of groups, one resource
and two. Losses are drawn as profiles have them: heads differ a hundredfold, and lose the more the less they see.
"""

from __future__ import annotations

import argparse
import time
from itertools import product

import numpy as np

from heedful.manage.allocate import hull, milp
from heedful.manage.allocate.problem import Problem, Row

SIZES = ((8, 8), (12, 12), (32, 32), (64, 64))
OPTIONS = 12
BUDGETS = (0.6, 0.25, 0.1)


def drawn(layers: int, heads: int, options: int, *, groups: bool, resources: int, budget: float, seed: int = 0) -> Problem:
    """A model's knapsack."""
    rng = np.random.default_rng(seed)
    kept = np.concatenate([[1.0], np.sort(rng.uniform(0.02, 0.8, options - 2))[::-1], [0.0]])
    importance, need = np.exp(rng.normal(-6, 2, (layers * heads, 1))), rng.uniform(0, 1, (layers * heads, 1))
    losses = importance * (np.clip(need - kept, 0, None) ** 1.5 + 0.1 * (1 - kept))
    openings = np.where(kept > 0, 0.3 if groups else 0.0, 0.0) * np.ones((layers, 1))
    rows = {"milliseconds": Row(np.tile(kept, (layers * heads, 1)), openings, budget * layers * (heads + openings[0, 0]))}
    if resources > 1:
        held = np.clip(kept * rng.uniform(0.5, 1.5, options), 0, 1)
        held[[0, -1]] = 1.0, 0.0
        rows["bytes"] = Row(np.tile(held, (layers * heads, 1)), np.zeros((layers, options)), 0.9 * budget * layers * heads)
    return Problem(losses, np.repeat(np.arange(layers), heads), rows)


def check(seconds: float) -> int:
    """Small instances against every choice there is; how many were tried."""
    tried = 0
    for seed, groups, resources, budget in product(range(4), (False, True), (1, 2), BUDGETS):
        problem = drawn(2, 2, 4, groups=groups, resources=resources, budget=budget, seed=seed)
        choices = (np.array(choice) for choice in product(range(4), repeat=4))
        best = min((problem.loss(choice) for choice in choices if problem.feasible(choice)), default=np.inf)
        near = hull.solve(problem)
        exact = milp.improve(problem, near, seconds=seconds)
        slack = 1e-9 + 1e-3 * best
        if not (near.bound - slack <= best <= exact.loss + slack and exact.loss <= near.loss and abs(exact.loss - best) <= slack):
            raise SystemExit(f"seed {seed}: bound {near.bound}, optimum {best}, milp {exact.loss}, greedy {near.loss}")
        tried += 1
    return tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=milp.SECONDS)
    seconds = parser.parse_args().seconds
    print(f"{check(seconds)} small instances agree with trying every choice\n")
    print("| heads | groups cost | resources | budget | hull-greedy s | above bound | HiGHS s | better by | above bound |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (layers, heads), groups, resources, budget in product(SIZES, (False, True), (1, 2), BUDGETS):
        problem = drawn(layers, heads, OPTIONS, groups=groups, resources=resources, budget=budget)
        began = time.perf_counter()
        near = hull.solve(problem)
        between = time.perf_counter()
        exact = milp.improve(problem, near, seconds=seconds)
        took = between - began, time.perf_counter() - between
        gaps = near.loss / near.bound - 1, near.loss / exact.loss - 1, exact.loss / exact.bound - 1
        name = f"{layers} x {heads} | {'yes' if groups else 'no'} | {resources} | {budget:.0%}"
        print(f"| {name} | {took[0]:.2f} | {gaps[0]:.3%} | {took[1]:.2f} | {gaps[1]:.3%} | {gaps[2]:.3%} |", flush=True)


if __name__ == "__main__":
    main()
