"""Partial results join to the whole, whatever the parts."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import heedful
from heedful.errors import ShapeError


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 12), max_size=4), seed=st.integers(0, 1000))
def test_parts_join_to_the_whole(cuts: list[int], seed: int) -> None:
    gen = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(2, 4, n, 8, generator=gen, dtype=torch.float64) for n in (5, 12, 12))
    allowed = torch.rand(2, 1, 5, 12, generator=gen) > 0.4
    edges = [0, *sorted(cuts), 12]
    parts = [
        heedful.attend(q, k[:, :, a:b], v[:, :, a:b], mask=allowed[..., a:b], summaries=("lse",)) for a, b in itertools.pairwise(edges)
    ]
    out, lse = heedful.merge([o for o, _ in parts], [s.lse for _, s in parts if s.lse is not None])
    whole, summary = heedful.attend(q, k, v, mask=allowed, summaries=("lse",))
    torch.testing.assert_close(out, whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(lse, summary.lse, atol=1e-12, rtol=0)


def test_gradients_pass_through_the_join_and_empty_parts_give_none() -> None:
    q, k, v = (torch.randn(1, 1, n, 4, dtype=torch.float64, requires_grad=True) for n in (3, 6, 6))
    allowed = torch.ones(3, 6, dtype=torch.bool)
    allowed[0] = False
    allowed[1, :3] = False
    parts = [heedful.attend(q, k[:, :, s], v[:, :, s], mask=allowed[:, s], summaries=("lse",)) for s in (slice(0, 3), slice(3, 6))]
    out, lse = heedful.merge([o for o, _ in parts], [s.lse for _, s in parts if s.lse is not None])
    assert torch.equal(out[0, 0, 0], torch.zeros(4, dtype=torch.float64))
    assert lse[0, 0, 0] == float("-inf")
    weight = torch.randn_like(out)
    joined = torch.autograd.grad((out * weight).sum(), (q, k, v))
    whole = torch.autograd.grad((heedful.attend(q, k, v, mask=allowed) * weight).sum(), (q, k, v))
    for a, b in zip(joined, whole, strict=True):
        torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


def test_parts_that_do_not_match_are_refused() -> None:
    with pytest.raises(ShapeError, match="as many outputs"):
        heedful.merge([], [])
    with pytest.raises(ShapeError, match="equal shapes"):
        heedful.merge([torch.zeros(1, 1, 2, 3)], [torch.zeros(1, 1, 3)])
