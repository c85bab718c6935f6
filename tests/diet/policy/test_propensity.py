"""Propensities against those that can be written down."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from heedful.diet.edition.menu import Candidate, Diet
from heedful.diet.policy.propensity import propensities, spread
from heedful.errors import UsageError


def test_one_of_two_is_chosen_as_often_as_its_draw_is_the_larger() -> None:
    read, times = [Candidate("a", 5.0, 0.0), Candidate("b", 5.0, 0.0)], 2000
    found = propensities(lambda rng: np.abs(rng.normal([10.0, 10.5], 1.0)), read, Diet(5.0), times=times, seed=1)
    expected = norm.cdf(-0.5 / np.sqrt(2))  # the difference of two normal numbers is normal
    assert abs(found[0] - expected) < 4 * np.sqrt(expected * (1 - expected) / times)
    assert found.sum() == pytest.approx(1.0)


def test_they_go_through_the_allocator() -> None:
    read = [Candidate("long", 20.0, 0.0), Candidate("short", 5.0, 0.0), Candidate("dull", 5.0, 0.0)]
    found = propensities(lambda rng: np.array([30.0, 20.0, -1.0]), read, Diet(10.0), times=10)
    assert found.tolist() == [0.0, 1.0, 0.0]  # the best does not fit; what is worth less than nothing stays out


def test_what_was_shown_counts_as_a_draw() -> None:
    read = [Candidate("a", 5.0, 0.0), Candidate("b", 5.0, 0.0)]
    found = propensities(lambda rng: np.array([9.0, 1.0]), read, Diet(5.0), times=9, shown=["b"])
    assert found.tolist() == [0.9, 0.1]


def test_weights_are_right_on_average() -> None:
    """The module's formula: over many logs, 1{shown} / propensity has mean 1 - (1 - p)^(T + 1)."""
    rng, p, draws, logs = np.random.default_rng(0), 0.2, 20, 40_000
    count = rng.binomial(draws, p, logs)
    weights = np.where(rng.random(logs) < p, (draws + 1) / (count + 1), 0.0)
    assert abs(weights.mean() - (1 - (1 - p) ** (draws + 1))) < 4 * weights.std() / np.sqrt(logs)


def test_what_cannot_be_is_refused_in_one_line() -> None:
    read = [Candidate("a", 5.0, 0.0)]
    with pytest.raises(UsageError, match="one value for each"):
        propensities(lambda rng: np.zeros(2), read, Diet(5.0))
    with pytest.raises(UsageError, match="one or more"):
        propensities(lambda rng: np.zeros(1), read, Diet(5.0), times=0)
    assert spread(np.array([0.2]), 400).tolist() == pytest.approx([0.02])
