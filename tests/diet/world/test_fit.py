"""Fits find what generated logs were made with; the table of the real ones is made where they are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from heedful.diet.world.fit.articles import skew
from heedful.diet.world.fit.clicks import logistic
from heedful.diet.world.fit.ratings import between, share
from heedful.diet.world.fit.table import table
from heedful.errors import DataError


def test_the_spread_of_people_is_told_from_chance() -> None:
    rng, users, each = np.random.default_rng(0), 400, 30
    user = np.repeat(np.arange(users), each)
    values = 0.3 * rng.normal(size=users)[user] + 0.8 * rng.normal(size=len(user))
    # the variance of a mean of 30 is known to sqrt(2 / 400) of itself
    total = 0.3**2 + 0.8**2 / each
    assert abs(between(values, user) ** 2 - 0.3**2) < 5 * total * np.sqrt(2 / users)
    assert between(0.8 * rng.normal(size=len(user)), user) ** 2 < 5 * (0.8**2 / each) * np.sqrt(2 / users)


def test_shares_that_differ_by_chance_alone_have_no_spread() -> None:
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(400), 50)
    chance = 0.2 * 0.8 / 50
    assert (0.2 * share(rng.random(len(user)) < 0.2, user)) ** 2 < 5 * chance * np.sqrt(2 / 400)


def test_zipfs_exponent_is_found() -> None:
    names = [str(rank) for rank in range(1, 13) for _ in range(round(10_000 * rank**-0.8))]
    assert skew(names, 12)[0] == pytest.approx(0.8, abs=0.01)  # counts are rounded to 1 in 1,370 at the least


def test_a_slope_is_found_with_its_error() -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(1, 4, 20_000).astype(float)
    y = (rng.random(20_000) < 1 / (1 + np.exp(1 + 0.3 * x))).astype(float)
    slope, error = logistic(x, y)
    assert abs(slope + 0.3) < 5 * error
    assert error < 0.05


def test_a_missing_log_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"articles\.jsonl"):
        table(tmp_path)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("HEEDFUL_DATA"), reason="HEEDFUL_DATA names no data sets")
def test_the_world_has_what_the_logs_say() -> None:
    rows = {line.split("|")[1].strip(): line.split("|")[2:4] for line in table().splitlines()[2:]}
    for name in ("minutes_log_mean", "minutes_log_spread", "topic_skew", "source_skew", "quality", "rating_noise"):
        has, says = (float(found) for found in rows[name])
        assert abs(has - says) <= 0.05  # rounded to a tenth or twentieth
