"""Drift that is put into made-up ratings is found again, and what was not put there is not."""

from __future__ import annotations

import numpy as np
import pytest

from heedful.diet.world.fit.drift import EDGES, Ratings, drifted, excess, fitted, paired

USERS, TIMES, GENRES = 300, 24, 6


def rated(home: float, drift: float, half: float, seed: int = 0) -> Ratings:
    """Users who rate one film on each of many days over a year; each film has one genre."""
    rng = np.random.default_rng(seed)
    days = np.sort(np.concatenate([rng.uniform(0, 12, (USERS, TIMES // 2)), rng.uniform(0, 400, (USERS, TIMES // 2))], axis=1), axis=1)
    genre = rng.integers(GENRES, size=(USERS, TIMES))
    stays, away = home * rng.normal(size=(USERS, GENRES)), drift * rng.normal(size=(USERS, GENRES))
    left = np.zeros((USERS, TIMES))
    for k in range(TIMES):
        if k:
            keep = 0.5 ** ((days[:, k] - days[:, k - 1]) / half)[:, None]
            away = keep * away + np.sqrt(1 - keep**2) * drift * rng.normal(size=away.shape)
        mine = np.arange(USERS), genre[:, k]
        left[:, k] = (stays + away)[mine] + 0.5 * rng.normal(size=USERS)
    return Ratings(left.ravel(), np.repeat(np.arange(USERS), TIMES), days.ravel(), np.eye(GENRES, dtype=bool)[genre.ravel()])


def test_a_drift_is_found_with_its_half_life() -> None:
    found, half = drifted(rated(home=0.5, drift=0.7, half=8.0))
    assert abs(found.value - 0.7) < 4 * found.error
    assert found.error < 0.15  # so that the line above can fail
    assert half.value / 8.0 == pytest.approx(1.0, abs=0.75)
    assert half.parameter == "drift_days"


def test_interests_that_stay_have_none() -> None:
    found, _ = drifted(rated(home=0.5, drift=0.0, half=8.0, seed=1))
    assert found.value < 4 * found.error
    assert found.value < 0.3


def test_the_excess_is_over_pairs_of_no_genre_in_common_and_leaves_sittings_out() -> None:
    days = np.array([0.0, 0.01, 2.0, 20.0])
    ratings = Ratings(np.array([1.0, 9.0, 2.0, 3.0]), np.zeros(4, int), days, np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=bool))
    pairs = paired(ratings)
    assert EDGES[0] > 0.01
    assert pairs.like[0].tolist() == [0, 2.0, 27.0, 0, 0, 0]  # 1 x 2 two days apart, 9 x 3 twenty; the first two are one sitting
    assert pairs.unlike[0].tolist() == [0, 18.0, 3.0 + 6.0, 0, 0, 0]
    assert excess(pairs, np.ones(1))[1:3].tolist() == [2.0 - 18.0, 27.0 - 4.5]


def test_squares_are_not_negative() -> None:
    gaps = np.array([0.5, 2.0, 9.0, 40.0])
    found = fitted(np.array([-0.1, -0.2, -0.1, -0.2]), np.ones(4), gaps)
    assert (found.home, found.drift) == (0.0, 0.0)
