"""A replay says what it can and why it cannot say the rest; simulated readers are called that."""

from __future__ import annotations

import json

import numpy as np
import pytest

from heedful.diet.edition.menu import Candidate, Diet
from heedful.diet.policy.log import Decision
from heedful.diet.replay import defaults, replay, simulate
from heedful.diet.reward import Reward
from heedful.errors import UsageError


def log(editions: int) -> list[Decision]:
    """Two items of five minutes, one of which is shown by the throw of a coin; the first earns 1, the second 0."""
    rng = np.random.default_rng(0)
    candidates, diet, features = [Candidate("a", 5.0, 0.0), Candidate("b", 5.0, 0.0)], Diet(5.0), np.eye(2)
    shown = rng.random(editions) < 0.5
    return [Decision(candidates, diet, features, np.array([a, not a]), np.full(2, 0.5), np.array([1.0, 0.0])) for a in shown]


def test_a_log_says_what_the_better_policy_would_have_earned() -> None:
    decisions = log(300)
    report = replay(decisions, {"a alone": lambda features, rng: features[:, 0] * 2 + features[:, 1]}, times=20, estimators=("ipw", "dr"))
    rows = {(row.policy, row.estimator): row for row in report.rows}
    earned = np.mean([one.rewards[one.shown].sum() for one in decisions])
    assert rows["as it was", "mean"].estimate.value == pytest.approx(earned)
    for name in ("ipw", "dr"):
        found = rows["a alone", name].estimate
        assert found.low <= 1.0 <= found.high  # what showing a earns
    # weights are 2 where a was shown and 0 elsewhere: worth the editions that showed it
    assert rows["a alone", "ipw"].estimate.effective == pytest.approx(sum(one.shown[0] for one in decisions))
    json.dumps(report.json())
    assert len(report.lines()) == 4


def test_a_thin_log_is_refused_with_its_reason() -> None:
    report = replay(log(20), {"a alone": lambda features, rng: features[:, 0]}, times=10)
    assert all("needed" in row.refused for row in report.rows[1:] if row.estimator in ("snipw", "dr"))
    lists = [row for row in report.rows if row.estimator in ("iips", "rips", "cascade-dr")]
    assert len(lists) == 3
    assert all("probabilities of its places" in row.refused for row in lists)
    assert "refused" in report.lines()[-1]
    with pytest.raises(UsageError, match="replay the simulator"):
        replay([], {})


def test_simulated_readers_are_called_that_and_budgets_hold() -> None:
    two = {name: make for name, make in defaults(30.0).items() if name in ("thompson", "chance")}
    report = simulate(two, readers=30, days=6, seed=2)
    assert "nothing here is a result about people" in report.lines()[0]
    value = {row.policy: row.estimate.value for row in report.rows}
    assert value["thompson"] > value["chance"]
    assert simulate(two, readers=30, days=6, seed=2) == report


def test_what_is_taught_changes_what_is_learnt() -> None:
    one = {"thompson": defaults(30.0)["thompson"]}
    taught, clicks = (simulate(one, readers=30, days=6, reward=reward).rows[0].estimate.value for reward in (None, Reward.clicks()))
    assert taught > clicks


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="0 days"):
        simulate(days=0)
