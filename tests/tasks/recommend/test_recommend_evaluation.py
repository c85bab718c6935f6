"""Evaluation: metrics and margins from their definitions, over every item, cold ones apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from heedful.data.interactions.log import Log
from heedful.data.interactions.sequences import sequences
from heedful.spec.interactions import LogDataSpec
from heedful.tasks.recommend.evaluation import Part, by_kind, by_stretch, judge, learnt, margin
from heedful.tasks.recommend.scorer import History


class ByNumber:
    """Scores every item by its number, the highest first."""

    name = "by number"

    def __init__(self, items: int) -> None:
        self.items, self.read = items, [np.zeros(0)]

    def scores(self, histories: Sequence[History]) -> torch.Tensor:
        self.read += [history.items for history in histories]
        return torch.arange(self.items, dtype=torch.float32).expand(len(histories), -1)


def part_of(known: int = 30, repeats: bool = False) -> Part:
    rng = np.random.default_rng(1)
    rows = [(f"u{user}", f"i{item:02d}", float(time), None) for user in range(9) for time, item in enumerate(rng.permutation(30)[:8])]
    found = sequences(Log.of("made", rows), LogDataSpec(split="leave-one-out", ties="file", repeats=repeats))
    found = found.coded([f"i{i:02d}" for i in range(known)])
    return Part(found, found.targets("test"), repeats)


@pytest.mark.parametrize("repeats", [False, True])
def test_hits_and_gains_are_ranks_among_all_unseen_items(repeats: bool) -> None:
    part = part_of(repeats=repeats)
    found = judge(ByNumber(30), part)
    for i, place in enumerate(part.places.tolist()):
        start = int(part.found.starts[part.found.owner[place]])
        target, seen = int(part.found.item[place]), set() if repeats else set(part.found.item[start:place].tolist())
        rank = sum(other > target for other in range(30) if other not in seen)
        assert found.hit[i] == float(rank < 10)
        assert found.ndcg[i] == pytest.approx(1 / math.log2(rank + 2) if rank < 10 else 0.0)
        assert found.reciprocal[i] == pytest.approx(1 / (rank + 1))


def test_a_scorer_is_shown_the_past_alone() -> None:
    part, scorer = part_of(), ByNumber(30)
    judge(scorer, part)
    assert sorted(map(len, scorer.read[1:])) == [7] * 9  # eight items each, the last is the target


def test_new_items_are_misses_and_told_apart() -> None:
    part = part_of(known=20)
    found = judge(ByNumber(20), part)
    new = part.found.item[part.places] >= 20
    assert new.any()
    assert not found.hit[new].any()
    rows = by_kind(part, found).rows
    assert [row[0] for row in rows] == ["known", "new"]
    assert sum(int(row[1]) for row in rows) == len(part.places)
    assert sum(int(row[1]) for row in by_stretch(part, found, found, "itself")[0].rows) == len(part.places)


def test_the_margin_draws_users_as_wholes() -> None:
    column, users = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0, 0, 1, 1])
    assert margin(column, users) == pytest.approx(1.96 * math.sqrt(1 + 1) / 4)
    assert margin(column, np.arange(4)) == pytest.approx(1.96 * math.sqrt(4 * 0.25) / 4)


def test_baselines_learn_from_the_training_part_alone() -> None:
    part = part_of()
    assert sum(map(len, learnt(part.found).rows)) == int((part.found.part == 0).sum())
