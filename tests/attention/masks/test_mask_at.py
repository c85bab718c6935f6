"""A rule at given positions: what a cache that let keys go still holds."""

from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.errors import ShapeError
from heedful.masks import Causal, Documents, Mask, Padding, Random, Sinks, Window

STREAM = Causal() & (Sinks(1) | Window(3))


@pytest.mark.parametrize("mask", [STREAM, Window(2, ahead=1), Random(3), ~STREAM, Padding(torch.tensor([8, 3]), side="left")], ids=str)
def test_it_is_the_columns_and_rows_of_the_whole(mask: Mask) -> None:
    held, asked = torch.tensor([0, 6, 4, 7]), torch.tensor([5, 7])
    whole = mask.dense(8, 8).expand(-1, -1, 8, 8)
    assert torch.equal(mask.at(asked, held).dense(2, 4).expand(-1, -1, 2, 4), whole[:, :, asked][..., held])


def test_positions_far_away() -> None:
    assert torch.equal(STREAM.at(torch.tensor([999]), torch.tensor([0, 5, 997, 999])).dense(1, 4)[0, 0], table("■□■■"))


def test_it_joins_with_others() -> None:
    held = STREAM.at(torch.tensor([7]), torch.tensor([0, 1, 6, 7]))
    assert torch.equal((held & torch.tensor([False, True, True, True])).dense(1, 4)[0, 0], table("□□■■"))
    assert torch.equal((~held).dense(1, 4)[0, 0], table("□■□□"))


def test_the_length_is_what_has_been_not_what_is_held() -> None:
    left = Padding(torch.tensor([4]), side="left")
    asked, held = torch.tensor([5]), torch.tensor([2, 3, 4, 5])
    assert left.at(asked, held).dense(1, 4).all()
    assert left.at(asked, held, length=8).dense(1, 4).flatten().tolist() == [False, False, True, True]
    ids = Documents(torch.tensor([[0, 0, 1, 1, 1, 1]]))
    assert ids.at(asked, held).dense(1, 4).all()
    with pytest.raises(ShapeError, match="documents of 6 keys: found 8"):
        ids.at(asked, held, length=8).dense(1, 4)


def test_other_lengths_than_the_positions_are_refused() -> None:
    held = STREAM.at(torch.tensor([7]), torch.tensor([0, 1, 6, 7]))
    assert not held.stable
    with pytest.raises(ShapeError, match="holds 1 queries and 4 keys: found 2 and 4"):
        held.dense(2, 4)
    with pytest.raises(ShapeError, match=r"axes \(t\): found the shape \(1, 1\)"):
        STREAM.at(torch.tensor([[7]]), torch.tensor([0]))


def test_nothing_held() -> None:
    empty = torch.tensor([], dtype=torch.int64)
    assert STREAM.at(torch.tensor([0]), empty).dense(1, 0).shape == (1, 1, 1, 0)
