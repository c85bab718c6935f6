"""Each estimator against its definition, worked out by hand or by enumeration; unbiased where its paper says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heedful.diet.offpolicy.cascade_dr import CascadeDR
from heedful.diet.offpolicy.dm import DM
from heedful.diet.offpolicy.dr import DR
from heedful.diet.offpolicy.estimate import DRAWS, TooFew, estimated
from heedful.diet.offpolicy.iips import IIPS
from heedful.diet.offpolicy.ipw import IPW
from heedful.diet.offpolicy.logged import Log, effective
from heedful.diet.offpolicy.rips import RIPS
from heedful.diet.offpolicy.slates import SlateLog
from heedful.diet.offpolicy.snipw import SNIPW
from heedful.diet.offpolicy.switch import SwitchDR
from heedful.errors import UsageError

ACTIONS = 4


def tables(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The policy that chose, the one in question, the true mean rewards, and a poor guess of them, each (n, actions)."""
    rng = np.random.default_rng(seed)
    return (*rng.dirichlet(np.full(ACTIONS, 2.0), (2, n)), rng.random((n, ACTIONS)), rng.random((n, ACTIONS)))


def expectation(estimator: object, n: int = 6) -> tuple[float, float]:
    """The mean of an estimator over all actions that could have been logged, and the true value."""
    chose, policy, truth, guess = tables(3, n)
    mean = 0.0
    for action in range(ACTIONS):  # every row's estimate stands alone, so one action at a time gives each row's expectation
        chosen = np.full(n, action)
        log = Log(chosen, truth[:, action], chose[:, action], policy, guess)
        mean += float((chose[:, action] * estimator(log)).mean())  # type: ignore[operator]
    return mean, float((policy * truth).sum(1).mean())


@pytest.mark.parametrize("estimator", [IPW(), DR(), SwitchDR(most=np.inf)], ids=lambda one: one.name)
def test_what_should_be_right_on_average_is(estimator: object) -> None:
    mean, truth = expectation(estimator)
    assert mean == pytest.approx(truth, rel=1e-12)


def test_the_model_alone_is_as_good_as_its_guess() -> None:
    chose, policy, truth, guess = tables(3, 6)
    log = Log(np.zeros(6, int), truth[:, 0], chose[:, 0], policy, guess)
    assert DM()(log).mean() == pytest.approx((policy * guess).sum(1).mean())
    assert SwitchDR(most=0.0)(log) == pytest.approx(DM()(log))
    assert DR()(replace(log, expected=truth)) == pytest.approx((policy * truth).sum(1))  # no error is left to weigh


def test_normalised_weights_give_a_mean_of_the_rewards() -> None:
    rng = np.random.default_rng(0)
    chose, policy, truth, _ = tables(5, 40)
    action = rng.integers(ACTIONS, size=40)
    rows = np.arange(40)
    log = Log(action, truth[rows, action], chose[rows, action], policy)
    assert SNIPW()(log).mean() == pytest.approx(np.average(log.reward, weights=log.weights))
    assert log.reward.min() <= SNIPW()(log).mean() <= log.reward.max()
    assert SNIPW()(replace(log, reward=np.ones(40))).mean() == pytest.approx(1.0)


def test_large_weights_are_bounded_where_asked() -> None:
    log = Log(np.array([0, 1]), np.ones(2), np.array([0.01, 0.5]), np.array([[1.0, 0.0], [0.5, 0.5]]), np.zeros((2, 2)))
    assert IPW(most=5.0)(log).tolist() == [5.0, 1.0]
    assert DR(most=5.0)(log).tolist() == [5.0, 1.0]
    assert SwitchDR(most=5.0)(log).tolist() == [0.0, 1.0]


def lists(seed: int, slots: int = 3, n: int = 300) -> tuple[SlateLog, dict[str, np.ndarray]]:
    """Lists whose places are drawn one by one, the chance of an item depending on the one before."""
    rng = np.random.default_rng(seed)
    chose, policy = rng.dirichlet(np.full(ACTIONS, 2.0), (2, ACTIONS + 1))
    columns: dict[str, list[float]] = {name: [] for name in ("slate", "place", "reward", "a", "b", "ca", "cb", "item", "last")}
    for s in range(n):
        last, ca, cb = ACTIONS, 1.0, 1.0
        for place in range(slots):
            item = int(rng.choice(ACTIONS, p=chose[last]))
            ca, cb = ca * chose[last, item], cb * policy[last, item]
            row = (s, place, float(rng.random() < 0.1 * (item + 1)), chose[last, item], policy[last, item], ca, cb, item, last)
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
            last = item
    x = {name: np.array(column) for name, column in columns.items()}
    whole = [x[name].astype(int) for name in ("slate", "place")]
    return SlateLog(*whole, x["reward"], x["a"], x["b"], x["ca"], x["cb"]), x | {"policy": policy}


def test_lists_are_weighed_by_place_or_by_all_before_it() -> None:
    log, x = lists(0)
    by_item = [sum(x["b"][r] / x["a"][r] * x["reward"][r] for r in range(i, i + 3)) for i in range(0, 900, 3)]
    assert IIPS()(log) == pytest.approx(np.array(by_item))
    weights = x["cb"] / x["ca"]
    assert RIPS()(log) == pytest.approx((weights * x["reward"]).reshape(-1, 3).sum(1))
    assert log.lists == 300


def test_the_cascade_estimator_with_nothing_guessed_is_rips_and_with_all_guessed_has_no_variance() -> None:
    log, x = lists(1, slots=1)
    nothing = np.zeros(len(log.reward))
    assert CascadeDR(nothing, nothing)(log) == pytest.approx(RIPS()(log))
    truth = 0.1 * (np.arange(ACTIONS) + 1)
    first = x["policy"][ACTIONS] @ truth
    exact = SlateLog(log.slate, log.place, truth[x["item"].astype(int)], log.by_item, log.by_item_policy, log.cascade, log.cascade_policy)
    assert CascadeDR(exact.reward, np.full(len(nothing), first))(exact) == pytest.approx(np.full(len(nothing), first))


def test_the_cascade_estimator_walks_down_the_list() -> None:
    log, x = lists(2, n=2)
    chosen, policy = np.linspace(0.1, 0.6, 6), np.linspace(0.2, 0.7, 6)
    weights = x["cb"] / x["ca"]
    by_hand = [
        sum(weights[r] * (x["reward"][r] - chosen[r]) + (1.0 if r % 3 == 0 else weights[r - 1]) * policy[r] for r in range(i, i + 3))
        for i in (0, 3)
    ]
    assert CascadeDR(chosen, policy)(log) == pytest.approx(np.array(by_hand))


def test_an_interval_holds_the_mean_and_narrows_with_the_log() -> None:
    rng = np.random.default_rng(0)
    rounds = rng.normal(1.0, 1.0, 4000)
    wide, narrow = estimated(rounds[:250], np.ones(250)), estimated(rounds, np.ones(4000))
    assert wide.low < wide.value < wide.high
    error = rounds.std() / np.sqrt(4000)
    # Two quantiles of so many draws, each with the standard error sqrt(p (1 - p) / draws) / density; three of them.
    spread = 3 * error * np.sqrt(2 * 0.025 * 0.975 / DRAWS) / 0.0584
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * error, abs=spread)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_a_log_that_says_nothing_of_the_policy_is_refused_with_the_reason() -> None:
    weights = np.zeros(1000)
    weights[0] = 1000.0
    assert effective(weights) == 1.0
    with pytest.raises(TooFew, match=r"1,000 logged choices are worth 1\.0 .* 50 are needed"):
        estimated(weights, weights)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"propensity": np.array([0.0, 0.5])}, "propensities must lie in"),
        ({"policy": np.array([[0.4, 0.4], [0.5, 0.5]])}, "add up to 1"),
        ({"reward": np.ones(3)}, r"\(n,\) and a policy"),
        ({"expected": np.ones((2, 3))}, "equal shapes"),
    ],
)
def test_a_log_that_does_not_fit_is_refused(changed: dict[str, np.ndarray], said: str) -> None:
    log = Log(np.array([0, 1]), np.ones(2), np.array([0.5, 0.5]), np.full((2, 2), 0.5))
    with pytest.raises(UsageError, match=said):
        replace(log, **changed)


def test_what_an_estimator_lacks_is_said() -> None:
    log = Log(np.array([0, 1]), np.ones(2), np.array([0.5, 0.5]), np.full((2, 2), 0.5))
    with pytest.raises(UsageError, match="ipw and snipw"):
        DR()(log)
    slates = SlateLog(np.zeros(2, int), np.arange(2), np.ones(2), np.ones(2), np.ones(2))
    with pytest.raises(UsageError, match="iips would work"):
        RIPS()(slates)
    with pytest.raises(UsageError, match="stand by list and place"):
        SlateLog(np.zeros(2, int), np.array([1, 0]), np.ones(2), np.ones(2), np.ones(2))
