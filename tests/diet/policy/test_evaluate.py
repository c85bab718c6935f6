"""A log judges another policy: near the truth where that can be worked out, refused where the log is too thin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heedful.diet.edition.greedy import greedy
from heedful.diet.edition.menu import Candidate, Diet
from heedful.diet.offpolicy.estimate import TooFew
from heedful.diet.policy.evaluate import chances, evaluate_log
from heedful.diet.policy.log import Decision
from heedful.diet.policy.propensity import propensities
from heedful.errors import UsageError

TRUE = np.array([1.0, -0.5, 0.3])
OLD, NEW = np.array([0.2, 0.2, 0.2]), np.array([0.8, -0.4, 0.2])


def valued(weights: np.ndarray) -> object:
    return lambda features, rng: 2.0 + features @ weights + rng.normal(0, 0.7, len(features))


def morning(seed: int, times: int = 40) -> Decision:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(6, 3))
    candidates, diet = [Candidate(str(i), 5.0, 0.0) for i in range(6)], Diet(minutes=10.0)
    draw = valued(OLD)
    values = draw(features, rng)  # type: ignore[operator]
    edition = greedy([replace(one, value=float(v)) for one, v in zip(candidates, values, strict=True)], diet)
    inside = propensities(lambda r: draw(features, r), candidates, diet, times=times, seed=seed, shown=edition.keys)  # type: ignore[operator]
    shown = np.array([one.key in edition.keys for one in candidates])
    return Decision(candidates, diet, features, shown, inside, features @ TRUE + rng.normal(0, 0.2, 6))


@pytest.fixture(scope="module")
def log() -> list[Decision]:
    return [morning(seed) for seed in range(100)]


@pytest.fixture(scope="module")
def truth(log: list[Decision]) -> float:
    """What the new policy's editions earn on these mornings, by its own propensities and the rewards' true means."""
    wanted = chances(log, valued(NEW), 100, 999)
    return float(np.mean([share @ (one.features @ TRUE) for share, one in zip(wanted, log, strict=True)]))


@pytest.mark.parametrize("estimator", ["ipw", "snipw", "dm", "dr", "switch-dr"])
def test_estimates_are_near_the_truth(log: list[Decision], truth: float, estimator: str) -> None:
    found = evaluate_log(log, valued(NEW), estimator, times=30)
    wide = (found.high - found.low) / 1.96  # twice the standard error; an interval of +-4 of them is missed once in 16,000
    assert abs(found.value - truth) < 2 * wide
    assert found.low < found.value < found.high
    earned = np.mean([one.rewards[one.shown].sum() for one in log])
    assert truth > earned + 0.3  # the new policy is better, and the log says so
    assert found.value > earned


def test_the_model_makes_the_interval_narrower(log: list[Decision]) -> None:
    wide, narrow = (evaluate_log(log, valued(NEW), name, times=30) for name in ("ipw", "dr"))
    assert narrow.high - narrow.low < wide.high - wide.low


def test_the_policy_itself_has_weights_of_one(log: list[Decision]) -> None:
    found = evaluate_log(log, valued(OLD), "snipw", times=30)
    earned = [one.rewards[one.shown].sum() for one in log]
    assert abs(found.value - np.mean(earned)) < 4 * np.std(earned) / np.sqrt(len(log))
    assert found.effective > 0.7 * 2 * len(log)


def test_propensities_of_what_was_not_shown_may_be_missing(log: list[Decision]) -> None:
    less = [replace(one, propensity=np.where(one.shown, one.propensity, np.nan)) for one in log]
    for estimator in ("ipw", "dm", "dr"):
        assert evaluate_log(less, valued(NEW), estimator, times=30).value == pytest.approx(
            evaluate_log(log, valued(NEW), estimator, times=30).value, rel=1e-9
        )


def test_a_thin_log_is_refused_with_its_reason(log: list[Decision]) -> None:
    with pytest.raises(TooFew, match="a longer log"):
        evaluate_log(log[:5], valued(NEW), "ipw", times=30)
    with pytest.raises(UsageError, match="1 editions"):
        evaluate_log(log[:1], valued(NEW), "dr")
    with pytest.raises(UsageError, match="snipw"):
        evaluate_log(log, valued(NEW), "snips")


def test_propensities_that_cannot_be_are_refused() -> None:
    one = morning(0)
    with pytest.raises(UsageError, match="chance above 0"):
        replace(one, propensity=np.where(one.shown, 0.0, one.propensity))
    with pytest.raises(UsageError, match="each of the 6"):
        replace(one, rewards=np.zeros(5))
