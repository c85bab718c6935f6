"""The knapsack: the relaxation and HiGHS against every choice there is, on instances small enough to try them all."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.manage.allocate import hull, least, milp
from heedful.manage.allocate.fill import added, distinct, filled
from heedful.manage.allocate.hull import Unmet
from heedful.manage.allocate.problem import Problem, Row
from heedful.manage.allocate.solve import solve


def everything(problem: Problem) -> tuple[float, np.ndarray] | None:
    """The best choice by trying all."""
    units, options = problem.losses.shape
    choices = [np.array(choice) for choice in product(range(options), repeat=units)]
    found = [(problem.loss(choice), choice) for choice in choices if problem.feasible(choice)]
    return min(found, key=lambda each: each[0]) if found else None


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    layers, heads, options = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 4))
    units, drawn = layers * heads, np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-8, 3))
    losses = scale * drawn.random((units, options)) * drawn.integers(0, 2, (units, options))
    allowed = drawn.random((units, options)) < 0.8
    allowed[:, draw(st.integers(0, options - 1))] = True
    rows = {}
    for name in draw(st.sampled_from([("milliseconds",), ("bytes",), ("milliseconds", "bytes"), ("milliseconds", "operations", "bytes")])):
        costs = drawn.random((units, options)) * drawn.integers(0, 2, (units, options))
        openings = drawn.random((layers, options)) * draw(st.sampled_from([0.0, 0.5]))
        begins = drawn.random(layers) * draw(st.sampled_from([0.0, 1.0]))
        most = costs.max(1).sum() + openings.sum() + begins.sum()
        rows[name] = Row(costs, openings, float(draw(st.floats(0.05, 1.0)) * most + 1e-3), begins if begins.any() else None)
    free = drawn.random(options) < draw(st.sampled_from([0.0, 0.4]))
    return Problem(losses, np.repeat(np.arange(layers), heads), rows, allowed, most=draw(st.integers(1, 3)), free=free)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_bound_optimum_and_choice_stand_in_order(problem: Problem) -> None:
    best = everything(problem)
    if best is None:
        with pytest.raises(Unmet):
            hull.solve(problem)
        return
    tolerance = 1e-9 + 1e-6 * best[0]
    try:
        greedy = hull.solve(problem)
    except Unmet:  # prices do not find the way between several limits; the whole program does
        assert len(problem.rows) > 1
        assert problem.feasible(solve(problem).choice)
        assert solve(problem).loss <= best[0] * (1 + 1e-3) + tolerance
        return
    assert problem.feasible(greedy.choice)
    assert greedy.loss == pytest.approx(problem.loss(greedy.choice))
    assert greedy.bound <= best[0] + tolerance
    assert greedy.loss >= best[0] - tolerance
    assert greedy.worth[np.arange(len(best[1])), best[1]].all() or greedy.loss <= best[0] + tolerance
    exact = milp.improve(problem, greedy)
    assert problem.feasible(exact.choice)
    assert exact.bound <= best[0] + tolerance
    assert best[0] - tolerance <= exact.loss <= best[0] * (1 + 1e-3) + tolerance


@given(problems(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_filling_keeps_within_limits_and_leaves_no_better_single_change(problem: Problem, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    start = np.array([drawn.choice(np.flatnonzero(row)) for row in problem.permitted])
    if not problem.feasible(start):
        return
    end = filled(problem, start)
    assert problem.feasible(end)
    assert problem.loss(end) <= problem.loss(start) + 1e-12
    for unit, option in product(*map(range, problem.losses.shape)):
        other = end.copy()
        other[unit] = option
        assert not problem.feasible(other) or problem.loss(other) >= problem.loss(end) - 1e-12


@given(problems(), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_what_a_change_adds_is_what_it_costs(problem: Problem, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    start = np.array([drawn.choice(np.flatnonzero(row)) for row in problem.permitted])
    counts = distinct(problem, start)
    for name in problem.rows:
        more = added(problem, start, name)
        for unit, option in product(*map(range, problem.losses.shape)):
            other = start.copy()
            other[unit] = option
            assert more[unit, option] == pytest.approx(problem.spent(other)[name] - problem.spent(start)[name], abs=1e-9)
            assert counts[unit, option] == (problem.used(other)[problem.layers[unit]].sum() <= problem.most)


@given(problems())
@settings(max_examples=40, deadline=None)
def test_the_least_is_the_least_there_is(problem: Problem) -> None:
    units, options = problem.losses.shape
    choices = [np.array(choice) for choice in product(range(options), repeat=units)]
    allowed = [c for c in choices if problem.permitted[np.arange(units), c].all() and problem.used(c).sum(1).max() <= problem.most]
    for name in problem.rows:
        if allowed:
            assert least.least(problem, name) == pytest.approx(min(problem.spent(choice)[name] for choice in allowed), abs=1e-9)


def test_the_optimum_that_greed_misses() -> None:
    losses, costs = np.array([[0.0, 6.0], [0.0, 5.0], [0.0, 5.0]]), np.array([[6.0, 0.0], [5.0, 0.0], [5.0, 0.0]])
    problem = Problem(losses, np.array([0, 1, 2]), {"milliseconds": Row(costs, np.zeros((3, 2)), 10.0)})
    found = solve(problem)
    assert found.choice.tolist() == [1, 0, 0]
    assert found.bound == pytest.approx(6.0)


def test_groups_are_paid_for_once() -> None:
    losses, costs = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]), np.array([[3.0, 1.0, 0.0]] * 2)
    problem = Problem(losses, np.array([0, 0]), {"milliseconds": Row(costs, np.array([[0.0, 1.0, 0.0]]), 3.0)})
    assert solve(problem).loss == 2.0
    assert problem.spent(np.array([1, 1])) == {"milliseconds": 3.0}
    assert problem.spent(np.array([0, 1])) == {"milliseconds": 5.0}


def test_no_more_options_a_layer_than_the_most() -> None:
    losses = 1.0 - np.eye(4)
    problem = Problem(losses, np.zeros(4, dtype=int), {"bytes": Row(np.zeros((4, 4)), np.zeros((1, 4)), 1.0)}, most=3)
    found = solve(problem)
    assert len(set(found.choice.tolist())) == 3
    assert found.loss == 1.0


def test_a_limit_below_the_least_is_refused_with_the_least() -> None:
    problem = Problem(np.zeros((2, 1)), np.array([0, 1]), {"bytes": Row(np.full((2, 1), 1024.0), np.zeros((2, 1)), 100.0)})
    with pytest.raises(Unmet, match="take 2 KiB"):
        least.check(problem)


def test_losses_are_numbers() -> None:
    with pytest.raises(UsageError, match="finite"):
        Problem(np.array([[np.nan]]), np.array([0]), {})


def test_highs_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    drawn = np.random.default_rng(0)
    losses, costs = drawn.random((60, 6)), drawn.random((60, 6))
    rows = {name: Row(drawn.permuted(costs, axis=1), np.full((6, 6), 0.1), 24.0) for name in ("milliseconds", "bytes")}
    problem = Problem(losses, np.repeat(np.arange(6), 10), rows)
    near = hull.solve(problem)
    assert milp.improve(problem, near, gap=0.0).loss <= near.loss
    print("still heard")
    said = capfd.readouterr()
    assert said.out == "still heard\n"
    assert said.err == ""


def test_without_scipy_the_greedy_choice_and_its_bound_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(1)
    losses, costs = drawn.random((12, 4)), drawn.random((12, 4))
    rows = {name: Row(drawn.permuted(costs, axis=1), np.full((3, 4), 0.1), 6.5) for name in ("milliseconds", "bytes")}
    problem = Problem(losses, np.repeat(np.arange(3), 4), rows)
    exact = solve(problem)
    for name in [name for name in sys.modules if name.split(".")[0] == "scipy" or name == "heedful.manage.allocate.milp"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("heedful.manage.allocate.milp", raising=False)
    monkeypatch.setitem(sys.modules, "scipy", None)
    greedy = solve(problem)
    assert greedy.method == "hull-greedy"
    assert problem.feasible(greedy.choice)
    assert greedy.bound <= exact.loss <= greedy.loss * (1 + 1e-3)
