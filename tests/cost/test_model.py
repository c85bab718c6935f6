"""Times from rates and from measurements: what is measured is given back, what lies between is interpolated."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.cost.attention import Sizes
from heedful.cost.model import RATES, Model, Point, amounts, fitted, positive


def sizes(n: int, d: int = 64, h: int = 8) -> Sizes:
    return Sizes(1, h, h, n, n, d, d, 1.0, torch.float32)


TRUE = Model((2e4, 50.0, 0.0, 0.3, 0.0, 0.012, 0.05))
GRID = [sizes(n, d, h) for n, d, h in itertools.product((64, 256, 1024, 4096), (32, 64, 128), (1, 8, 32))]


def test_rates_are_found_again() -> None:
    found = fitted([Point(s, TRUE.milliseconds(s)) for s in GRID])
    for s in (sizes(100, 48, 4), sizes(3000, 96, 16)):
        assert found.milliseconds(s) == pytest.approx(TRUE.milliseconds(s), rel=0.02)


def test_what_no_sum_of_rates_explains_is_given_back_where_it_was_measured() -> None:
    points = [Point(s, TRUE.milliseconds(s) * (1.5 if s.q == 1024 else 1.0)) for s in GRID]
    found = fitted(points)
    for point in points:
        assert found.milliseconds(point.sizes) == pytest.approx(point.milliseconds, rel=0.1)


def test_one_measurement_is_enough() -> None:
    s = sizes(512)
    assert fitted([Point(s, 3.0)]).milliseconds(s) == pytest.approx(3.0)


@given(st.lists(st.lists(st.floats(0.01, 10.0), min_size=4, max_size=4), min_size=4, max_size=12))
def test_no_rate_is_below_zero_and_none_is_better_by_far(rows: list[list[float]]) -> None:
    table = np.array(rows)
    found = positive(table)
    assert (found >= 0).all()
    left = np.square(table @ found - 1).sum()
    assert left <= len(table)  # doing nothing leaves one a row
    gradient = table.T @ (table @ found - 1)
    scale = np.abs(table).sum()
    assert all(each >= -1e-6 * scale or value > 0 for each, value in zip(gradient, found, strict=True))


def test_amounts_are_as_many_as_rates() -> None:
    assert len(amounts(sizes(10))) == len(RATES) == len(TRUE.rates)
    assert all(math.isfinite(each) for each in amounts(sizes(10)))
