"""Metrics against every order of equal scores, written out."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import torch
from hypothesis import given
from hypothesis import strategies as some

from heedful.models.ranker.gain import gain
from heedful.models.ranker.ranker import without


@given(some.lists(some.integers(0, 2), min_size=1, max_size=6), some.data(), some.integers(1, 7))
def test_equal_scores_are_shared_over_all_orders(scores: list[int], data: some.DataObject, k: int) -> None:
    right = data.draw(some.integers(0, len(scores) - 1))
    hits, gains, inverses = [], [], []
    for order in permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in pairwise(order)):
            rank = order.index(right)
            hits.append(float(rank < k))
            gains.append(1 / math.log2(rank + 2) if rank < k else 0.0)
            inverses.append(1 / (rank + 1))
    found = gain(torch.tensor([scores], dtype=torch.float32), torch.tensor([right]), k)
    for mine, wanted in zip(found, (hits, gains, inverses), strict=True):
        assert abs(float(mine) - sum(wanted) / len(wanted)) < 1e-12


def test_what_cannot_be_ranked_is_a_miss() -> None:
    scores = torch.tensor([[1.0, -torch.inf], [-torch.inf, -torch.inf]])
    assert [float(x.sum()) for x in gain(scores, torch.tensor([1, 0]), 10)] == [0.0, 0.0, 0.0]


def test_seen_items_go_and_padding_takes_nothing() -> None:
    left = without(torch.ones(2, 3), torch.tensor([[0, -1], [2, 1]]))
    assert torch.isinf(left).tolist() == [[True, False, False], [False, True, True]]
