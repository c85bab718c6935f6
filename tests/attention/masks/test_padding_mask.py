from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.errors import ShapeError, UsageError
from heedful.masks import Causal, Padding

LENGTHS = torch.tensor([3, 1, 0])


def test_the_padding_is_not_seen() -> None:
    assert torch.equal(Padding(LENGTHS).dense(2, 3)[:, 0, 0], table("■■■ ■□□ □□□"))
    assert torch.equal(Padding(LENGTHS, side="left").dense(2, 3)[:, 0, 0], table("■■■ □□■ □□□"))
    assert torch.equal(Padding(LENGTHS).dense(2, 4)[:, 0, 0], table("■■■□ ■□□□ □□□□"))
    assert torch.equal(Padding(LENGTHS, side="left").dense(2, 4)[:, 0, 0], table("□■■■ □□□■ □□□□"))


def test_padding_on_the_left_moves_with_more_keys() -> None:
    assert Padding(LENGTHS).stable
    assert not Padding(LENGTHS, side="left").stable
    assert not (Causal() & Padding(LENGTHS, side="left")).stable
    assert not (~Padding(LENGTHS, side="left")).stable


def test_a_sequence_longer_than_the_keys_is_refused() -> None:
    for mask in (Padding(LENGTHS), Causal() | Padding(LENGTHS), ~Padding(LENGTHS)):
        with pytest.raises(ShapeError, match="a sequence of 3 keys: found 2 keys"):
            mask.dense(2, 2)


def test_another_batch_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"Padding\(lengths=<int64 \(3,\)>\) was made for 3 sequences: found 2"):
        Padding(LENGTHS).over(batch=2, heads=4)
    assert Padding(LENGTHS[:1]).over(batch=2, heads=4).dense(3, 3).shape == (1, 1, 1, 3)


def test_what_is_no_length_is_refused() -> None:
    with pytest.raises(UsageError, match="0 or more: found -1"):
        Padding(torch.tensor([2, -1]))
    with pytest.raises(UsageError, match="whole numbers: found bool"):
        Padding(torch.tensor([True, False]))
    with pytest.raises(ShapeError, match=r"axes \(b\): found the shape \(1, 3\)"):
        Padding(LENGTHS[None])
    with pytest.raises(UsageError, match="unknown side of Padding 'rihgt': did you mean 'right'"):
        Padding(LENGTHS, side="rihgt")  # type: ignore[arg-type]
