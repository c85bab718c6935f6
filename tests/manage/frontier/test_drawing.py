"""The frontier of the small model whose every head matters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heedful.errors import UsageError
from heedful.manage.allocate.joint import assignment
from heedful.manage.frontier.drawing import frontier
from heedful.manage.frontier.frontier import PLANNED, Frontier
from heedful.manage.frontier.ladder import CONTROLS, Ladder
from heedful.manage.frontier.rungs import NAMES
from heedful.manage.options.table import parse
from heedful.manage.planning import plan
from heedful.manage.profiling import profile
from heedful.manage.simulate import simulated
from heedful.manage.verify.judge import judged
from heedful.manage.verify.pair import pairs
from heedful.spec.budget import Budget
from manage.verify.texts import Case, batches_of, model_of

LADDER = Ladder(budgets=(0.8, 0.4), resource="operations", timed=1)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    where = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("heedful.manage.prices.store.folder", lambda: where)
        model = model_of()
        calibrate = batches_of(model, 2, 4, 1)
        yield Case(model, calibrate, [], batches_of(model, 3, 4, 3), profile(model, calibrate))


@pytest.fixture(scope="module")
def drawn(case: Case) -> Frontier:
    return frontier(case.model, case.profile, case.test, calibrate=case.calibrate, ladder=LADDER, name="small")


def test_every_policy_keeps_within_every_budget_it_can(drawn: Frontier) -> None:
    assert set(drawn.policies) <= {PLANNED, *NAMES.values()}
    assert {PLANNED, "random", "dropped mass"} <= set(drawn.policies)
    assert set(NAMES) == set(CONTROLS)
    for point in drawn.points:
        assert point.spent <= point.budget * drawn.spent * (1 + 1e-6), point
        assert point.measured is not None
        assert point.measured > 0
    missing = (1 + len(CONTROLS)) * len(LADDER.budgets) - len(drawn.points)
    assert missing == sum(note.count(" or ") + 1 for note in drawn.notes if "cannot keep" in note)


def test_the_plan_loses_no_more_than_the_estimators_it_chose_from(drawn: Frontier) -> None:
    for budget in LADDER.budgets:
        at = {point.policy: point.kl for point in drawn.points if point.budget == budget}
        assert at[PLANNED] <= 1.2 * at["dropped mass"]
        assert at[PLANNED] < at["Michel"]


def test_a_point_says_what_its_plan_loses_when_it_is_judged_alone(case: Case, drawn: Frontier) -> None:
    made = plan(case.profile, Budget(operations=0.4, length=64), model=case.model, batches=case.calibrate)
    point = next(point for point in drawn.of(PLANNED) if point.budget == 0.4)
    options = [name for row in made.choices for name in row]
    assert [drawn.options[choice] for choice in point.choices] == options
    found = list(pairs(case.model, lambda: simulated(case.model, assignment(made.choices)), case.test))
    alone = judged(found, 0.95)
    assert point.loss == pytest.approx(alone.bound.mean, abs=1e-6)
    assert point.upper == pytest.approx(alone.bound.upper, abs=1e-6)
    assert drawn.nats == pytest.approx(alone.dense, abs=1e-6)


def test_options_stand_from_the_dearest_to_none(drawn: Frontier) -> None:
    assert drawn.options[0] == "full"
    assert drawn.options[-1] == "drop"
    kept = [parse(name).kept(64) for name in drawn.options]
    assert kept == sorted(kept, reverse=True)
    assert all(len(row) == len(drawn.options) for row in (*drawn.losses, *drawn.milliseconds))


def test_text_that_plans_were_made_on_is_refused(case: Case) -> None:
    with pytest.raises(UsageError, match="used to make this plan"):
        frontier(case.model, case.profile, case.calibrate, ladder=LADDER)
    with pytest.raises(UsageError, match="`heedful profile` would work"):
        frontier(model_of(1), case.profile, case.test, ladder=LADDER)


def test_the_ladder_refuses_what_is_no_share() -> None:
    for wrong in ({"budgets": ()}, {"budgets": (1.0,)}, {"budgets": (0.5, -1.0)}, {"timed": -1}, {"resource": "time"}, {"block": 0}):
        with pytest.raises(UsageError):
            Ladder(**wrong)  # type: ignore[arg-type]
