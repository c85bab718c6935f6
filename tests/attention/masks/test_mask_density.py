"""Closed forms at lengths no table of which would fit into memory."""

from __future__ import annotations

import pytest
import torch

from heedful.masks import Blocks, Causal, Dilated, Mask, Padding, Prefix, Random, Sinks, Strided, Window

N = 1_000_000
EXPECTED: tuple[tuple[Mask, float], ...] = (
    (Causal(), (N + 1) / (2 * N)),
    (Window(100), (100 * N - 4950) / N**2),
    (Window(1, ahead=1), (2 * N - 1) / N**2),
    (Sinks(4), 4 / N),
    (Prefix(torch.tensor([10, 30])), 20 / N),
    (Blocks(1000), 1 / 1000),
    (Strided(1000), 1 / 1000),
    (Dilated(3, 5), (3 * N - 15) / N**2),
    (Random(64), 64 / N),
    (Padding(torch.tensor([N, N // 2])), 0.75),
    (~Causal(), (N - 1) / (2 * N)),
)


@pytest.mark.parametrize(("mask", "expected"), EXPECTED, ids=str)
def test_closed_forms(mask: Mask, expected: float) -> None:
    assert mask.density(N, N) == pytest.approx(expected, rel=1e-12)


def test_a_cached_step_of_a_long_text() -> None:
    assert Causal().density(1, N) == 1.0
    assert Window(100).density(1, N) == 100 / N
    assert Blocks(1000).density(1, N) == 1000 / N
