from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heedful.manage.allocate.problem import Problem, Row
from heedful.manage.verify.promote import best, promoted


@st.composite
def problems(draw: st.DrawFn) -> tuple[Problem, np.ndarray]:
    """Up to three layers of up to four units, up to five options, the first of which loses nothing and costs most."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    options = draw(st.integers(2, 5))
    chance = np.random.default_rng(draw(st.integers(0, 999)))
    units = sum(sizes)
    losses = np.sort(chance.random((units, options)), axis=1)
    losses[:, 0] = 0.0
    costs = -np.sort(-chance.random((units, options)), axis=1)
    row = Row(costs, chance.random((len(sizes), options)), limit=1e9)
    layers = np.repeat(np.arange(len(sizes)), sizes)
    problem = Problem(losses, layers, {"milliseconds": row}, most=options)
    return problem, chance.integers(0, options, units)


@given(problems())
def test_no_other_step_saves_more_for_its_price(made: tuple[Problem, np.ndarray]) -> None:
    problem, choice = made
    step, before = best(problem, choice, "milliseconds"), problem.spent(choice)["milliseconds"]
    for unit in range(len(choice)):
        for option in range(problem.losses.shape[1]):
            after = choice.copy()
            after[unit] = option
            saved, price = problem.loss(choice) - problem.loss(after), problem.spent(after)["milliseconds"] - before
            if saved > 1e-9:
                assert step is not None
                assert step.price <= 1e-9 or (price > 0 and saved / price <= step.saved / step.price * (1 + 1e-9))


@given(problems(), st.floats(0, 2))
def test_promotion_lowers_the_loss_to_the_target_or_as_far_as_it_goes(made: tuple[Problem, np.ndarray], target: float) -> None:
    problem, choice = made
    after, steps = promoted(problem, choice, target, "milliseconds")
    assert all(step.saved > 0 for step in steps)
    assert np.isclose(problem.loss(choice) - problem.loss(after), sum(step.saved for step in steps))
    assert problem.loss(after) <= target or best(problem, after, "milliseconds") is None
    assert bool(steps) == (best(problem, choice, "milliseconds") is not None)


def test_no_layer_gets_more_options_than_it_may_have() -> None:
    losses = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    row = Row(np.array([[3.0, 2.0, 1.0]] * 2), np.zeros((1, 3)), limit=1e9)
    problem = Problem(losses, np.array([0, 0]), {"milliseconds": row}, most=1)
    assert best(problem, np.array([2, 2]), "milliseconds") is None
    alone = Problem(losses[:1], np.array([0]), {"milliseconds": Row(row.costs[:1], row.openings, 1e9)}, most=1)
    step = best(alone, np.array([2]), "milliseconds")
    assert step is not None
    assert step.after in (0, 1)


def test_what_a_unit_may_not_take_is_not_given() -> None:
    losses = np.array([[0.0, 1.0, 2.0]])
    row = Row(np.array([[3.0, 2.0, 1.0]]), np.zeros((1, 3)), limit=1e9)
    problem = Problem(losses, np.array([0]), {"milliseconds": row}, allowed=np.array([[False, True, True]]))
    after, _ = promoted(problem, np.array([2]), 0.0, "milliseconds")
    assert after.tolist() == [1]
