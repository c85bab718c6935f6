"""A reader is the same alone and among others; minutes are never exceeded; gymnasium finds nothing wrong; the effects are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from heedful.diet.world.many import ReadersEnv
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.requests import Rules
from heedful.diet.world.single import ReaderEnv
from heedful.diet.world.world import World
from heedful.errors import UsageError

SMALL = Parameters(candidates=12, topics=4, sources=5, stories=2)


def shortest(world: World) -> np.ndarray:
    """The shortest item that is allowed, -1 where none is."""
    allowed = world.allowed()
    return np.where(allowed.any(1), np.where(allowed, world.today().minutes, np.inf).argmin(1), -1)


def test_a_reader_alone_is_the_reader_among_others_to_the_bit() -> None:
    many, alone = World(6, SMALL, seed=3), World(1, SMALL, seed=3, first=4)
    for _ in range(5):
        many.morning(), alone.morning()
        for name, column in vars(many.today()).items():
            np.testing.assert_array_equal(column[4], vars(alone.today())[name][0])
        for _ in range(6):
            ours, theirs = many.offer(shortest(many)), alone.offer(shortest(alone))
            for name, column in vars(ours).items():
                assert column[4] == vars(theirs)[name][0], name
        assert many.evening().back[4] == alone.evening().back[0]
        np.testing.assert_array_equal(many.rates()[4], alone.rates()[0])


def test_two_policies_meet_the_same_items_and_the_same_luck() -> None:
    one, other = World(3, SMALL, seed=1), World(3, SMALL, seed=1)
    one.morning(), other.morning()
    one.offer(shortest(one))
    one.evening(), other.evening()
    np.testing.assert_array_equal(one.morning().chances, other.morning().chances)


def test_an_item_that_does_not_fit_is_refused() -> None:
    world = World(1, SMALL, minutes=3.0)
    world.morning()
    with pytest.raises(UsageError, match="does not fit"):
        world.offer(np.array([int(world.today().minutes.argmax())]))
    first = shortest(world)
    world.offer(first)
    with pytest.raises(UsageError, match="offered today"):
        world.offer(first)


def test_gymnasium_finds_nothing_wrong() -> None:
    check_env(ReaderEnv(SMALL), skip_render_check=True)


def test_budget_spent_is_terminated_and_the_horizon_is_truncated() -> None:
    env = ReaderEnv(SMALL, Rules(minutes=8.0, horizon=50))
    _, info = env.reset(seed=0)
    minutes, steps, terminated = 0.0, 0, False
    while not terminated:
        action = int(np.flatnonzero(info["action_mask"])[0])
        assert action < SMALL.candidates
        minutes += env.requests.world.today().minutes[0, action]
        _, reward, terminated, truncated, info = env.step(action)
        assert reward == pytest.approx(sum(info["rewards"].values()))
        steps += 1
    assert minutes <= 8.0 + 1e-9
    assert not truncated
    env = ReaderEnv(SMALL, Rules(minutes=8.0, horizon=1))
    env.reset(seed=0)
    assert env.step(int(env.requests.world.today().minutes.argmin()))[2:4] == (False, True)


def test_a_masked_action_changes_nothing() -> None:
    env = ReaderEnv(SMALL)
    env.reset(seed=0)
    env.step(3)
    left = env.requests.world.left.copy()
    _, reward, _, _, info = env.step(3)
    assert reward == 0
    assert info["action_mask"][3] == 0
    np.testing.assert_array_equal(env.requests.world.left, left)
    with pytest.raises(UsageError, match="from 0 to 12"):
        env.step(13)


def steps(env: ReaderEnv) -> list[float]:
    """Rewards of a reader alone, by the first allowed action each time."""
    _, info = env.reset(seed=5)
    rewards, over = [], False
    while not over:
        _, reward, terminated, truncated, info = env.step(int(np.flatnonzero(info["action_mask"])[0]))
        rewards.append(reward)
        over = terminated or truncated
    return rewards


def test_the_vectorised_form_is_each_reader_alone() -> None:
    rules = Rules(minutes=10.0, days=4)
    many = ReadersEnv(5, SMALL, rules)
    seen, info = many.reset(seed=5)
    assert many.observation_space.contains(seen)
    rewards: list[list[float]] = [[] for _ in range(5)]
    over = np.zeros(5, dtype=bool)
    while not over.all():
        mask = info["action_mask"]
        waits = ~mask.any(1)
        _, paid, terminated, truncated, info = many.step(mask.argmax(1))
        for row in np.flatnonzero(~waits & ~over):
            rewards[row].append(float(paid[row]))
        assert (paid[waits] == 0).all()
        over = terminated | truncated
    for row in range(5):
        assert steps(ReaderEnv(SMALL, rules, reader=row)) == rewards[row]


def rate(changed: dict[str, float], before: Parameters = SMALL) -> float:
    """What the mean item of the third morning is worth after two days of reading, a minute."""
    world = World(200, replace(before, **changed), seed=0)
    for _ in range(2):
        world.morning()
        for _ in range(5):
            world.offer(shortest(world))
        world.evening()
    world.morning()
    return float(world.rates().mean())


@pytest.mark.parametrize("name", ["satiation", "lure_cost"])
def test_satiation_and_lures_take_worth_off(name: str) -> None:
    assert rate({name: 0.0}) > rate({}) > rate({name: 3 * vars(SMALL)[name]})


def test_what_is_new_is_worth_more_to_the_curious() -> None:
    assert rate({"curiosity": 0.0}) < rate({}) < rate({"curiosity": 3 * SMALL.curiosity})


def test_interests_drift_around_home() -> None:
    world = World(400, SMALL, seed=0)
    for _ in range(60):
        world.morning()
    away = world.readers.away
    error = SMALL.drift / np.sqrt(2 * away.size)  # of a standard deviation; topics of a reader are independent
    assert abs(away.std() - SMALL.drift) < 5 * error


def test_parameters_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="0 topics"):
        Parameters(topics=0)
    with pytest.raises(UsageError, match="finite"):
        Parameters(base=float("nan"))
    with pytest.raises(UsageError, match="one or more"):
        World(0)
    with pytest.raises(UsageError, match="0 days"):
        Rules(days=0)
