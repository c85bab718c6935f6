"""Sparsemax and entmax-1.5 against oracles that share no step with them: a projection by quadratic search, and bisection."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from heedful.weightings import Entmax15, Softmax, Sparsemax, Weighting

ALPHAS = [pytest.param(Sparsemax(), 2.0, id="sparsemax"), pytest.param(Entmax15(), 1.5, id="entmax15")]
scores_lists = st.lists(st.floats(-20, 20), min_size=1, max_size=8)


def entmax_by_bisection(s: Tensor, alpha: float) -> Tensor:
    """[(α-1) s - τ]₊^(1/(α-1)), τ bisected until the row sums to one."""
    z = (alpha - 1) * s.double()
    low, high = z.amax(-1, keepdim=True) - 1.0, z.amax(-1, keepdim=True)
    for _ in range(100):
        tau = (low + high) / 2
        heavy = (z - tau).clamp(min=0).pow(1 / (alpha - 1)).sum(-1, keepdim=True) >= 1
        low, high = torch.where(heavy, tau, low), torch.where(heavy, high, tau)
    return (z - low).clamp(min=0).pow(1 / (alpha - 1))


def nearest_point_of_simplex(s: Tensor) -> Tensor:
    """The projection by trying every support: the feasible candidate nearest to s."""
    best, nearest = s, math.inf
    for size in range(1, len(s) + 1):
        for support in itertools.combinations(range(len(s)), size):
            chosen = torch.tensor(support)
            point = torch.zeros_like(s)
            point[chosen] = s[chosen] + (1 - s[chosen].sum()) / size
            if (point >= 0).all() and float((point - s).norm()) < nearest:
                best, nearest = point, float((point - s).norm())
    return best


@pytest.mark.parametrize(("weighting", "alpha"), ALPHAS)
@pytest.mark.parametrize("keys", [1, 2, 63, 1000])
@pytest.mark.parametrize("spread", [0.01, 1.0, 30.0])
def test_equals_bisection(weighting: Weighting, alpha: float, keys: int, spread: float) -> None:
    torch.manual_seed(keys)
    scores = spread * torch.randn(5, keys, dtype=torch.float64)
    torch.testing.assert_close(weighting(scores), entmax_by_bisection(scores, alpha), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("weighting", "alpha"), ALPHAS)
@given(row=scores_lists)
@settings(max_examples=60, deadline=None)
def test_any_row_equals_bisection(weighting: Weighting, alpha: float, row: list[float]) -> None:
    scores = torch.tensor(row, dtype=torch.float64)
    torch.testing.assert_close(weighting(scores), entmax_by_bisection(scores, alpha), rtol=0, atol=1e-9)


@given(row=scores_lists)
@settings(max_examples=40, deadline=None)
def test_sparsemax_is_the_projection_onto_the_simplex(row: list[float]) -> None:
    scores = torch.tensor(row, dtype=torch.float64)
    torch.testing.assert_close(Sparsemax()(scores), nearest_point_of_simplex(scores), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("weighting", "alpha"), ALPHAS)
def test_gradient_is_the_published_jacobian(weighting: Weighting, alpha: float) -> None:
    torch.manual_seed(0)
    scores = torch.randn(9, dtype=torch.float64)
    w = weighting(scores)
    slope = torch.where(w > 0, w.pow(2 - alpha), 0.0)
    expected = torch.diag(slope) - torch.outer(slope, slope) / slope.sum()
    found = torch.func.jacrev(weighting)(scores)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("weighting", "alpha"), ALPHAS)
def test_ties_share_and_shifts_change_nothing(weighting: Weighting, alpha: float) -> None:
    assert torch.allclose(weighting(torch.zeros(6)), torch.full((6,), 1 / 6))
    scores = torch.tensor([0.3, 0.3, -0.2, 1.0], dtype=torch.float64)
    torch.testing.assert_close(weighting(scores + 1000.0), weighting(scores))


def test_sparser_from_softmax_to_entmax_to_sparsemax() -> None:
    torch.manual_seed(0)
    scores = 2 * torch.randn(200, 20)
    kept = [(weighting(scores) > 0).float().mean().item() for weighting in (Softmax(), Entmax15(), Sparsemax())]
    assert kept[0] == 1.0 > kept[1] > kept[2]
