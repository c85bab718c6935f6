"""An edition: within its minutes, of what the reader likes, with room for the new and the quiet."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diet.day.conftest import NOW, Mornings, piece
from heedful.diet.day.day import TIMES, Morning
from heedful.diet.day.features import NAMES
from heedful.diet.day.rest import passed
from heedful.diet.day.shortlist import EACH, shortlist
from heedful.diet.day.wishes import KNOWN, QUIET, Wishes
from heedful.errors import DataError, UsageError


@pytest.mark.parametrize("minutes", [1.0, 7.5, 30.0, 240.0])
def test_never_over_the_minutes_nor_one_source_over_its_ceiling(a_morning: Mornings, minutes: float) -> None:
    for seed in range(5):
        morning = a_morning(minutes=minutes, seed=seed)
        inside = [morning.close[morning.places[key]] for key in morning.edition.keys]
        assert sum(one.minutes for one in inside) <= minutes + 1e-6
        for source in {one.source for one in inside}:
            assert sum(one.minutes for one in inside if one.source == source) <= max(0.4 * minutes, 10.0) + 1e-6


def test_it_learns_what_the_reader_likes(a_morning: Mornings) -> None:
    shares = []
    for seed in range(6):
        morning = a_morning(seed=seed, wishes=Wishes(curiosity=0, quiet=0, variety=0, worth=0.3), past=120)
        inside = [morning.close[morning.places[key]] for key in morning.edition.keys]
        shares.append(np.mean([one.words.startswith("river") for one in inside]))
        assert not any(one.words.startswith("match") for one in inside)
    assert np.mean(shares) > 0.8  # a quarter of the items are on what is liked


def test_unused_minutes_are_legitimate(a_morning: Mornings) -> None:
    morning = a_morning(wishes=Wishes(worth=1.0, variety=0, curiosity=0, quiet=0))
    assert morning.edition.minutes < morning.minutes
    assert len(passed(morning)) == len(morning.pieces) - len(morning.edition.keys)


def test_a_place_is_kept_for_what_is_new_and_for_what_is_quiet(a_morning: Mornings) -> None:
    morning = a_morning(items=80, past=8, wishes=Wishes(curiosity=1.0, quiet=1.0), minutes=60)
    facets = {one.key: one.facets for one in morning.candidates}
    for facet, group in (("familiarity", KNOWN), ("loudness", QUIET)):
        there = [one for one in morning.candidates if one.facets.get(facet) == group]
        assert there
        taken = sum(one.minutes for one in there if one.key in morning.edition.keys)
        assert taken >= 0.3 * 60 - 1e-6 or f"{facet} {group}" in morning.edition.unmet
        assert all(facets[one.key].get(facet) == group for one in there)


def test_propensities_are_of_the_final_edition(a_morning: Mornings) -> None:
    morning = a_morning(items=20)
    assert set(morning.chances) == set(morning.edition.keys)
    assert all(1 / (TIMES + 1) <= chance <= 1 for chance in morning.chances.values())
    assert a_morning(items=20).chances == morning.chances
    drawn = [replace(morning, seed=seed).edition.keys for seed in range(100, 160)]
    for key, chance in morning.chances.items():
        share = np.mean([key in keys for keys in drawn])
        # two estimates of one chance, from 60 draws and from TIMES: four standard errors of their difference at most
        assert abs(share - chance) < 4 * (0.25 / 60 + 0.25 / TIMES) ** 0.5


def test_a_shortlist_has_the_best_of_every_source() -> None:
    rng = np.random.default_rng(0)
    loud = [replace(piece(rng, f"loud {i}", 0, age=0.1), source="loud", rate=200.0) for i in range(1000)]
    quiet = [replace(piece(rng, f"quiet {i}", 1, age=5), source=f"quiet {i}", rate=0.5) for i in range(20)]
    chosen = shortlist([*loud, *quiet], [], Wishes(), NOW, most=100)
    assert len(chosen) == 100
    assert set(range(1000, 1020)) <= set(chosen)
    assert sum(i < EACH for i in chosen) <= EACH


def test_everything_left_out_has_its_line(a_morning: Mornings) -> None:
    morning = a_morning(items=400, past=5)
    said = passed(morning)
    assert set(said) | set(morning.edition.keys) == {one.key for one in morning.pieces}
    assert not set(said) & set(morning.edition.keys)
    assert all(said.values())
    assert any("looked at closely" in line for line in said.values())


def test_a_reader_without_items_or_past_has_an_empty_day() -> None:
    morning = Morning([], [], Wishes(), 30, NOW)
    assert (morning.edition.keys, morning.chances, passed(morning)) == ((), {}, {})


def test_a_story_told_again_costs(a_morning: Mornings) -> None:
    morning = a_morning(items=12, past=0, minutes=200)
    pieces = [replace(one, story="one") for one in morning.pieces]
    assert len(replace(morning, pieces=pieces).edition.keys) < len(morning.edition.keys)


def test_wishes_are_kept_and_refused() -> None:
    wishes = Wishes(minutes=12, targets={"science": 0.4})
    assert Wishes.of(wishes.record()) == wishes
    assert set(wishes.prior()) == set(NAMES)
    for wrong, error in (
        ({"minutes": 0}, UsageError),
        ({"curiosity": 2}, UsageError),
        ({"colour": 1}, DataError),
        ({"minutes": "x"}, DataError),
    ):
        with pytest.raises(error):
            Wishes.of(wrong)
    with pytest.raises(UsageError):
        Wishes(targets={"a": 0.7, "b": 0.6})
