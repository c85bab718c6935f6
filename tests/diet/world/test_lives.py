"""Days under a policy: minutes and floors hold every day, and what is learnt is of use."""

from __future__ import annotations

import numpy as np
import pytest

from heedful.diet.edition.menu import Appetite, Bound, Diet
from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.chance import Chance
from heedful.diet.policy.prior import Prior
from heedful.diet.policy.sampled import Sampled
from heedful.diet.reward import Reward
from heedful.diet.world.lives import lived
from heedful.diet.world.looks import features, names
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.world import World

SMALL = Parameters(candidates=40, topics=4, sources=6, stories=3)
FLOORS = tuple(Bound("view", str(view), least=0.1) for view in range(SMALL.views))


def made(world: World, diet: Diet) -> Sampled:
    return Sampled(Beliefs(world.count, Prior.flat(len(names(world)), 0.1, 0.6)), diet, 0.3)


def test_minutes_ceilings_and_floors_hold_every_day() -> None:
    world = World(20, SMALL, seed=0, minutes=25.0)
    diet = Diet(25.0, worth=-5.0, appetites=(Appetite("topic", 0.2),), bounds=(Bound("source", most=0.4), *FLOORS), redundancy=1.0)
    for day in lived(world, made(world, diet), 4):
        picks, offered = day.feedback.picks, day.feedback.offer
        minutes = offered.times(picks)
        assert (minutes.sum(1) <= 25.0 + 1e-6).all()
        assert (day.read <= day.planned + 1e-9).all()
        for facet, size in (("view", SMALL.views), ("source", SMALL.sources)):
            of = np.take_along_axis(offered.facets[facet], np.maximum(picks, 0), 1)
            by_group = np.stack([(minutes * (of == g)).sum(1) for g in range(size)], axis=1)
            if facet == "view":
                assert (by_group[day.here > 0] >= 0.1 * 25.0 - 1e-6).all()
            else:
                assert (by_group <= 0.4 * 25.0 + 1e-6).all()
        assert (picks[day.here == 0] == -1).all()
        assert (day.worth[day.here == 0] == 0).all()


def test_features_have_their_names_and_hide_what_is_hidden() -> None:
    world = World(3, SMALL, seed=0)
    items = world.morning()
    found = features(world)
    assert found.shape == (3, 40, len(names(world)))
    for name, column in (("log minutes", np.log(items.minutes)), ("quality seen", items.quality_seen), ("lure seen", items.lure_seen)):
        np.testing.assert_array_equal(found[..., names(world).index(name)], column)
    ones = found[..., : SMALL.topics + SMALL.sources + SMALL.views]
    assert (ones.sum(-1) == 3).all()
    for hidden in (items.quality, items.lure):
        assert not any(np.array_equal(found[..., k], hidden) for k in range(found.shape[-1]))


@pytest.mark.slow
def test_what_is_taught_is_what_is_got() -> None:
    """A policy taught worth is worth more to its readers than chance, and one taught clicks is opened more and worth less."""
    diet, rates, opened = Diet(30.0, worth=-5.0), {}, {}
    for name, reward in (("worth", Reward()), ("clicks", Reward.clicks()), ("chance", Reward())):
        world = World(100, seed=0)
        policy = Chance(diet) if name == "chance" else made(world, diet)
        days = list(lived(world, policy, 30, reward))
        rates[name] = np.array([day.worth for day in days]).sum(0) / 30
        opened[name] = np.array([day.signals.opened.sum(1) for day in days]).sum(0)
    for better, worse in (("worth", "chance"), ("worth", "clicks")):
        gain = rates[better] - rates[worse]  # paired: the same items and the same luck
        assert gain.mean() > 4 * gain.std() / np.sqrt(len(gain))
    more = opened["clicks"] - opened["worth"]
    assert more.mean() > 4 * more.std() / np.sqrt(len(more))
