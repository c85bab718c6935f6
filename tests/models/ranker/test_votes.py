"""Votes: what training sees is what was counted without the user's own history."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("scipy")

from heedful.models.ranker.votes import CALM, Asked, Votes
from heedful.spec.ranker import VoteSpec
from heedful.tasks.recommend.counting import neighbours

ITEMS = 12
RNG = np.random.default_rng(0)
ROWS = [RNG.permutation(ITEMS)[: RNG.integers(2, 8)].astype(np.int64) for _ in range(30)]


def made(rows: list[np.ndarray], reach: int = 4) -> Votes:
    votes = Votes(VoteSpec(neighbours=ITEMS, reach=reach), ITEMS)
    votes.take(neighbours(rows, ITEMS, ITEMS))
    return votes


def whole(votes: Votes, asked: Asked) -> torch.Tensor:
    """The votes as a row over all items."""
    beside = votes(asked)
    return torch.zeros(len(asked.rows), ITEMS).scatter_add(1, beside.ids, beside.values)


@pytest.mark.parametrize("user", range(0, 30, 3))
def test_in_training_a_users_own_history_is_not_counted(user: int) -> None:
    row = ROWS[user]
    ids, labels = torch.from_numpy(row[:-1])[None], torch.from_numpy(row[1:])[None]
    places = torch.arange(len(row) - 1)
    asked = Asked(ids, torch.zeros_like(places), places, labels, torch.from_numpy(row)[None])
    with torch.no_grad():
        found = whole(made(ROWS), asked)
        wanted = whole(made([other for i, other in enumerate(ROWS) if i != user]), asked._replace(labels=None, own=None))
    for place in places.tolist():
        ahead = [item for item in range(ITEMS) if item not in row[: place + 1]]  # what was read is left out of the softmax
        assert torch.allclose(found[place, ahead], wanted[place, ahead], atol=1e-5)


def test_the_counts_are_those_of_the_histories() -> None:
    counts = neighbours(ROWS, ITEMS, ITEMS)
    for item in range(ITEMS):
        for slot, other in enumerate(counts.neighbours[item].tolist()):
            if other < 0:
                continue
            together = sum(item in row and other in row for row in ROWS)
            direct = sum((item, other) in zip(row[:-1].tolist(), row[1:].tolist(), strict=True) for row in ROWS)
            assert (counts.beside[item, slot], counts.followed[item, slot]) == (together, direct)
        assert counts.left[item] == sum(item in row[:-1] for row in ROWS)
        assert counts.having[item] == sum(item in row for row in ROWS)


def test_fewer_neighbours_are_the_strongest() -> None:
    everyone, few = neighbours(ROWS, ITEMS, ITEMS), neighbours(ROWS, ITEMS, 3)
    strength = everyone.followed / (everyone.left[:, None] + CALM)
    strength += everyone.beside / (everyone.having[:, None] * everyone.having[everyone.neighbours.clamp(min=0)]).sqrt()
    strength = strength.masked_fill(everyone.neighbours < 0, 0.0)
    kept = strength.topk(3, dim=1).values.sum(1)
    mine = torch.stack([strength[i][torch.isin(everyone.neighbours[i], few.neighbours[i])].sum() for i in range(ITEMS)])
    assert torch.allclose(mine, kept, atol=1e-5)


def test_new_items_and_missing_places_have_no_vote() -> None:
    votes = made(ROWS)
    asked = Asked(torch.tensor([[3, ITEMS + 2]]), torch.tensor([0]), torch.tensor([1]))
    alone = Asked(torch.tensor([[3]]), torch.tensor([0]), torch.tensor([0]))
    with torch.no_grad():
        ages = votes(asked).values.view(4, ITEMS)
        assert not ages[0].any()  # the new one
        assert ages[1].any()
        assert not ages[2:].any()  # before the first
        assert votes(alone).values.view(4, ITEMS)[0].any()
