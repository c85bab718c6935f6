from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heedful.errors import UsageError
from heedful.manage.verify.bound import upper_bound

SEQUENCES = arrays(np.float64, st.integers(5, 20), elements=st.floats(-1, 1, width=32))


def coverage(draw: str, blocks: int, runs: int = 160) -> float:
    """How often the bound lies above the truth; blocks of different sizes, as sequences have."""
    chance, held = np.random.default_rng(7), 0
    for run in range(runs):
        counts = chance.integers(50, 200, blocks).astype(float)
        means = chance.normal(0.005, 0.02, blocks) if draw == "normal" else chance.lognormal(-5, 0.5, blocks)
        truth = 0.005 if draw == "normal" else math.exp(-5 + 0.125)
        held += upper_bound(means * counts, counts, seed=run).upper >= truth
    return held / runs


@pytest.mark.parametrize(("draw", "blocks"), [("normal", 6), ("normal", 24), ("lognormal", 24)])
def test_the_bound_holds_as_often_as_it_says(draw: str, blocks: int) -> None:
    """160 runs of a 95 % bound hold 144 times at least (90 %) by any luck, and not always."""
    found = coverage(draw, blocks)
    assert 0.90 <= found < 1.0


def test_tokens_as_blocks_would_promise_too_much() -> None:
    """Differences that a sequence's tokens share: as one block each they are counted once, by token they look like many."""
    chance, by_sequence, by_token = np.random.default_rng(3), 0, 0
    for run in range(30):
        shared = np.repeat(chance.normal(0.0, 1.0, 12), 12) + chance.normal(0.0, 0.2, 144)
        rows = shared.reshape(12, 12)
        by_sequence += upper_bound(rows.sum(1), np.full(12, 12.0), seed=run).upper >= 0
        by_token += upper_bound(shared, np.ones(144), seed=run).upper >= 0
    assert by_sequence >= 25
    assert by_token <= 23


@given(SEQUENCES, st.floats(0.25, 4.0), st.floats(-2, 2))
def test_it_scales_and_shifts_with_what_it_bounds(values: np.ndarray, factor: float, shift: float) -> None:
    counts = np.arange(1.0, len(values) + 1)
    found = upper_bound(values * counts, counts)
    moved = upper_bound((factor * values + shift) * counts, counts)
    assert moved.mean == pytest.approx(factor * found.mean + shift, abs=1e-6)
    if math.isfinite(found.upper) and found.error > 1e-4:
        assert moved.upper == pytest.approx(factor * found.upper + shift, abs=1e-4)


@given(SEQUENCES)
def test_a_higher_level_bounds_from_further_above(values: np.ndarray) -> None:
    counts = np.ones(len(values))
    low, high = upper_bound(values, counts, level=0.8), upper_bound(values, counts, level=0.99)
    assert low.upper <= high.upper
    assert low.mean == pytest.approx(values.mean(), abs=1e-9)


def test_too_few_blocks_bound_nothing() -> None:
    for values in ([0.1], [0.1, 0.3], [0.1, 0.2, 0.4]):
        assert upper_bound(np.array(values), np.ones(len(values))).upper == math.inf
    assert upper_bound(np.array([0.1, 0.2, 0.4]), np.ones(3)).few


@pytest.mark.parametrize(
    ("sums", "counts", "level", "said"),
    [
        ([], [], 0.95, "a sum and a count"),
        ([1.0], [1.0, 2.0], 0.95, "a sum and a count"),
        ([math.nan, 1.0], [1.0, 1.0], 0.95, "finite"),
        ([1.0, 1.0], [0.0, 1.0], 0.95, "at least one place"),
        ([1.0, 1.0], [1.0, 1.0], 0.3, "0.95 would work"),
    ],
)
def test_what_cannot_be_bounded_is_refused(sums: list[float], counts: list[float], level: float, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        upper_bound(np.array(sums), np.array(counts), level)
