from __future__ import annotations

import math

import pytest
import torch

from heedful.errors import UsageError
from heedful.weightings import Softmax, TopK


def test_is_softmax_over_the_best_keys() -> None:
    torch.manual_seed(0)
    scores = torch.randn(4, 9, dtype=torch.float64)
    best = scores.sort(dim=-1, descending=True)
    expected = torch.zeros_like(scores).scatter(-1, best.indices[:, :3], torch.softmax(best.values[:, :3], -1))
    torch.testing.assert_close(TopK(3)(scores), expected)


def test_ties_keep_exactly_k_and_the_earlier_keys() -> None:
    scores = torch.tensor([1.0, 3.0, 1.0, 1.0, 3.0])
    assert TopK(3)(scores).nonzero().flatten().tolist() == [0, 1, 4]
    assert TopK(2)(torch.zeros(5)).nonzero().flatten().tolist() == [0, 1]


def test_fewer_allowed_keys_than_k() -> None:
    scores = torch.tensor([-math.inf, 0.0, -math.inf, 0.0])
    assert torch.equal(TopK(3)(scores), torch.tensor([0.0, 0.5, 0.0, 0.5]))
    assert torch.equal(TopK(99)(scores), Softmax()(scores))


def test_straight_through_weighs_few_and_teaches_all() -> None:
    torch.manual_seed(0)
    scores, direction = torch.randn(2, 6, requires_grad=True), torch.randn(2, 6)
    through = TopK(2, straight_through=True)(scores)
    torch.testing.assert_close(through, TopK(2)(scores), rtol=0, atol=0)
    (found,) = torch.autograd.grad((through * direction).sum(), scores)
    (expected,) = torch.autograd.grad((Softmax()(scores) * direction).sum(), scores)
    torch.testing.assert_close(found, expected)


def test_no_keys_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="k=0 keys: 1 or more would work"):
        TopK(0)
