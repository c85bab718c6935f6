"""Estimators of lists on a reader's log: probabilities of places against those that can be written down, estimates against the truth."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from heedful.diet.edition.greedy import greedy
from heedful.diet.edition.menu import Candidate, Diet
from heedful.diet.offpolicy.estimate import TooFew
from heedful.diet.policy.evaluate import drawn, evaluate_log, judged
from heedful.diet.policy.log import Decision
from heedful.diet.policy.places import Drawn, Places, at, shares
from heedful.diet.policy.propensity import editions, inside, propensities
from heedful.diet.policy.slates import rows, to_come
from heedful.errors import UsageError

N, LENGTH, MINUTES = 4, 2, 5.0
DIET = Diet(MINUTES * LENGTH, worth=-50.0)  # two of four items of five minutes: lists of exactly two places
ITEMS = [Candidate(str(i), MINUTES, 0.0) for i in range(N)]
OLD, NEW = np.array([0.0, 0.4, 0.0, -0.3]), np.array([0.8, 0.0, 0.5, 0.0])
TRUE = np.array([1.0, 0.2, 0.6, 0.1])
AFTER = 0.5  # what the second place earns more where item 0 was read first: a reward that hangs on what came before


def lists(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """Plackett and Luce's probability of every list of two: what noise of Gumbel's gives to the order of scores."""
    strength = np.exp(scores)
    return {(a, b): strength[a] / strength.sum() * strength[b] / (strength.sum() - strength[a]) for a, b in permutations(range(N), 2)}


def valued(scores: np.ndarray) -> object:
    return lambda features, rng: scores + rng.gumbel(size=N)


def earned(order: tuple[int, ...]) -> np.ndarray:
    """What each place of a list earns, on average."""
    return np.array([TRUE[order[0]], TRUE[order[1]] + AFTER * (order[0] == 0)])


def truth(scores: np.ndarray) -> float:
    return float(sum(chance * earned(order).sum() for order, chance in lists(scores).items()))


def by_place(scores: np.ndarray) -> float:
    """What a policy would earn, were each item at its place to earn what it earned there, on average, in lists of the old policy."""
    total = 0.0
    for k, i in np.ndindex(LENGTH, N):
        here = {order: chance for order, chance in lists(OLD).items() if order[k] == i}
        mean = sum(chance * earned(order)[k] for order, chance in here.items()) / sum(here.values())
        total += mean * sum(chance for order, chance in lists(scores).items() if order[k] == i)
    return float(total)


def exactly(order: tuple[int, ...], scores: np.ndarray) -> Places:
    """The places of a list with the probabilities they have."""
    chances = lists(scores)
    by_item = [sum(chance for one, chance in chances.items() if one[k] == order[k]) for k in range(LENGTH)]
    cascade = [by_item[0], chances[order]]
    return Places(np.array(order), np.array([*by_item, 1.0]), np.array([*cascade, cascade[-1]]))


def morning(seed: int) -> Decision:
    """One list, drawn as the old policy draws, with the probabilities that it had."""
    rng = np.random.default_rng(seed)
    values = OLD + rng.gumbel(size=N)
    edition = greedy([replace(one, value=float(v)) for one, v in zip(ITEMS, values, strict=True)], DIET)
    order = tuple(int(key) for key in edition.keys)
    shown = np.isin(np.arange(N), order)
    likely = np.array([sum(chance for one, chance in lists(OLD).items() if i in one) for i in range(N)])
    rewards = np.zeros(N)
    rewards[list(order)] = earned(order) + rng.normal(0, 0.2, LENGTH)
    return Decision(ITEMS, DIET, np.eye(N), shown, likely, rewards, exactly(order, OLD))


@pytest.fixture(scope="module")
def log() -> list[Decision]:
    return [morning(seed) for seed in range(300)]


def test_counted_places_are_those_that_can_be_written_down() -> None:
    times, order = 1000, (2, 0)
    found = editions(lambda rng: valued(OLD)(None, rng), ITEMS, DIET, times=times, seed=3)  # type: ignore[operator]
    by_item, cascade = shares(order, found)
    right = exactly(order, OLD)
    for counted, share in ((by_item, right.by_item), (cascade, right.cascade)):
        assert (np.abs(counted - share) <= 4 * np.sqrt(share * (1 - share) / times)).all()
    assert inside(found, N).tolist() == propensities(lambda rng: valued(OLD)(None, rng), ITEMS, DIET, times=times, seed=3).tolist()  # type: ignore[operator]


def test_a_list_is_in_the_order_in_which_it_is_read() -> None:
    values = np.array([5.0, 20.0, 1.0, 10.0])
    read = [replace(one, minutes=float(m), value=float(v)) for one, m, v in zip(ITEMS, (1, 10, 1, 4), values, strict=True)]
    diet = Diet(15.0)
    found = editions(lambda rng: values, read, diet, times=1)
    assert tuple(read[i].key for i in found[0]) == greedy(read, diet).keys == ("0", "3", "1")


@pytest.fixture(scope="module")
def wanted(log: list[Decision]) -> list[Drawn]:
    """Editions that the new policy would have made."""
    return drawn(log, valued(NEW), times=40)  # type: ignore[arg-type]


@pytest.mark.parametrize("estimator", ["iips", "rips", "cascade-dr"])
def test_estimates_are_near_the_truth(log: list[Decision], wanted: list[Drawn], estimator: str) -> None:
    found = judged(log, wanted, estimator)
    error = (found.high - found.low) / (2 * 1.96)
    assert found.low < found.value < found.high
    if estimator == "iips":  # what the first item does to the second it takes to be as it was in the log
        expected = by_place(NEW)
        assert abs(found.value - expected) < 4 * error
        assert abs(expected - truth(NEW)) > 0.02
    else:
        assert abs(found.value - truth(NEW)) < 4 * error
        assert truth(NEW) > truth(OLD) + 0.2
        assert found.low > truth(OLD)


def test_the_model_takes_off_variance(log: list[Decision], wanted: list[Drawn]) -> None:
    plain, model = (judged(log, wanted, name) for name in ("rips", "cascade-dr"))
    assert model.high - model.low < plain.high - plain.low


def test_cascade_dr_is_right_on_average_whatever_the_guesses() -> None:
    """Every list that could have been logged, by its probability: the mean is the value of the drawn editions, to rounding."""
    rng = np.random.default_rng(0)
    found = drawn([morning(0)], valued(NEW), times=60, seed=1)  # type: ignore[arg-type]
    value = np.mean([earned(one).sum() for one in found[0]])
    for guess in (np.zeros(N), TRUE, rng.normal(size=N)):
        mean = 0.0
        for order, chance in lists(OLD).items():
            rewards = np.zeros(N)
            rewards[list(order)] = earned(order)
            shown = np.isin(np.arange(N), order)
            one = Decision(ITEMS, DIET, np.eye(N), shown, np.where(shown, 0.5, np.nan), rewards, exactly(order, OLD))
            told = rows([one], found, [guess])
            weights = told.log.cascade_policy / told.log.cascade
            before = np.concatenate([[1.0], weights[:-1]])
            mean += chance * float((weights * (told.log.reward - told.chosen) + before * told.policy).sum())
        assert mean == pytest.approx(value, rel=1e-12)


def test_what_is_to_come_is_a_mean_over_the_lists_that_are_the_same_so_far() -> None:
    chosen, policy = to_come((0, 1), [(0, 1), (0, 2, 3), (3,)], np.array([1.0, 2.0, 4.0, 8.0]))
    assert policy.tolist() == [pytest.approx((3 + 13 + 8) / 3), 7.0, 0.0]
    assert chosen.tolist() == [8.0, 2.0, 0.0]
    assert to_come((2,), [(0,)], np.ones(3))[0].tolist() == [0.0, 0.0]


def test_lists_end_where_nothing_more_is_put_in() -> None:
    assert [at((7, 5), k) for k in range(4)] == [7, 5, -1, -1]
    found = Places.counted((1,), [(1,), (1, 0), ()])
    assert (found.by_item.tolist(), found.cascade.tolist()) == ([0.75, 0.75], [0.75, 0.5])
    nothing = Places.counted((), [(), (1,)])
    assert nothing.cascade.tolist() == [pytest.approx(2 / 3)]


def test_a_log_that_cannot_carry_lists_is_refused_with_its_reason(log: list[Decision]) -> None:
    with pytest.raises(TooFew, match="are needed"):
        evaluate_log(log[:20], valued(NEW), "rips", times=50)  # type: ignore[arg-type]
    old = [replace(one, places=None) for one in log[:60]]
    with pytest.raises(TooFew, match="snipw and dr do"):
        evaluate_log(old, valued(NEW), "iips", times=20)  # type: ignore[arg-type]
    # what the policy shows was hardly ever drawn when the log was made: its probabilities were counted as far too large
    thin = [replace(one, places=replace(one.places, cascade=np.maximum(one.places.cascade, 0.9))) for one in log]  # type: ignore[arg-type,type-var]
    with pytest.raises(TooFew, match="add up to"):
        evaluate_log(thin, valued(OLD), "rips", times=20)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cascade-dr"):
        evaluate_log(log, valued(NEW), "cascade")  # type: ignore[arg-type]


def test_editions_without_places_are_left_out(log: list[Decision]) -> None:
    some = log[:120]
    mixed = [replace(one, places=None) if i % 4 == 0 else one for i, one in enumerate(some)]
    found = drawn(some, valued(OLD), times=30)  # type: ignore[arg-type]
    kept = [i for i in range(120) if i % 4]
    assert judged(mixed, found, "rips").value == judged([some[i] for i in kept], [found[i] for i in kept], "rips").value


def test_places_of_other_items_are_refused() -> None:
    one = morning(0)
    assert one.places is not None
    with pytest.raises(UsageError, match="the same items"):
        replace(one, places=replace(one.places, order=one.places.order[:1]))
    with pytest.raises(UsageError, match=r"\(0, 1\]"):
        replace(one, places=replace(one.places, cascade=np.zeros(3)))
