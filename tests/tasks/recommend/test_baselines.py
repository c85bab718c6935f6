"""Baselines against their formulas, written densely."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from heedful.errors import DataError
from heedful.tasks.recommend.baselines import ease
from heedful.tasks.recommend.baselines.ease import EASE, RIDGE
from heedful.tasks.recommend.baselines.item_knn import ItemKNN
from heedful.tasks.recommend.baselines.markov import Markov
from heedful.tasks.recommend.baselines.recency import Recency
from heedful.tasks.recommend.baselines.table import fitted
from heedful.tasks.recommend.scorer import History, Learnt

RNG = np.random.default_rng(3)
ITEMS = 15


def log(users: int) -> Learnt:
    return Learnt([RNG.permutation(ITEMS)[: RNG.integers(2, 7)].astype(np.int64) for _ in range(users)], ITEMS)


def dense(learnt: Learnt) -> np.ndarray:
    out = np.zeros((len(learnt.rows), ITEMS))
    for i, row in enumerate(learnt.rows):
        out[i, row] = 1
    return out


def history(*items: int) -> History:
    return History(np.array(items, dtype=np.int64), np.zeros(len(items), dtype=np.int64))


@pytest.mark.parametrize("users", [40, 9])  # the closed form over items, and by Woodbury over users
def test_ease_is_its_closed_form(users: int) -> None:
    learnt = log(users)
    x = dense(learnt)
    p = np.linalg.inv(x.T @ x + RIDGE * np.eye(ITEMS))
    b = np.eye(ITEMS) - p / np.diag(p)
    read = np.zeros(ITEMS)
    read[[2, 7]] = 1
    found = EASE(learnt).scores([history(2, 7)])[0].double().numpy()
    # (x - xP / diag P) cancels numbers of size 1: the rounding of float32 through one inverse of condition below 2
    assert np.abs(found - read @ b).max() < 200 * np.finfo(np.float32).eps


def test_ease_refuses_what_it_cannot_invert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ease, "MOST", 8)
    with pytest.raises(DataError, match="more than 8"):
        EASE(log(9))
    found, left_out = fitted(log(9))
    assert [one.scorer.name for one in found] == ["popularity", "ItemKNN", "Markov + ItemKNN"]
    assert len(left_out) == 2
    assert "no times" in left_out[0]


def test_item_knn_is_cosines_that_fade() -> None:
    learnt = log(40)
    x = dense(learnt)
    size = np.maximum(x.sum(0), 1)
    near = (x.T @ x) / np.sqrt(size[:, None] * size)
    np.fill_diagonal(near, 0)
    found = ItemKNN(learnt).scores([history(3, 8, 1)])[0].double().numpy()
    assert np.abs(found - (near[1] + 0.8 * near[8] + 0.64 * near[3])).max() < 1e-5


def test_markov_adds_the_share_of_what_came_next() -> None:
    learnt = log(40)
    after = np.zeros((ITEMS, ITEMS))
    for row in learnt.rows:
        for one, other in pairwise(row):
            after[one, other] += 1
    shares = after / np.maximum(after.sum(1, keepdims=True), 1)
    both = [history(3, 8)]
    found = Markov(learnt).scores(both)[0] - ItemKNN(learnt).scores(both)[0]
    assert np.abs(found.double().numpy() - shares[8]).max() < 1e-5


def test_recency_forgets() -> None:
    learnt = Learnt([np.array([0, 1]), np.array([0])], 2, [np.array([0, 1000]), np.array([10])])
    scores = Recency(learnt).scores([history(0)])[0]
    assert float(scores[1]) == 1.0
    assert float(scores[0]) == pytest.approx(0.5**50 + 0.5**49.5)


def test_a_scorer_passes_over_what_it_does_not_know() -> None:
    learnt = log(20)
    for kind in (ItemKNN, Markov, EASE):
        scorer = kind(learnt)
        known, more = scorer.scores([history(3)]), scorer.scores([history(ITEMS + 4, 3)])
        assert torch.equal(known, more)
        assert not bool(scorer.scores([history()]).any())
