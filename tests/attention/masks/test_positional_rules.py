"""The rules of positions alone, each against pictures drawn by hand."""

from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.masks import Blocks, Causal, Dilated, Mask, Prefix, Sinks, Strided, Window

PICTURES: tuple[tuple[Mask, str], ...] = (
    (Causal(), "■□□□ ■■□□ ■■■□ ■■■■"),
    (Causal(), "■■■□□ ■■■■□ ■■■■■"),  # fewer queries: the last one stands at the last key
    (Causal(), "□□ □□ ■□ ■■"),  # more queries than keys: the first ones stand before all keys
    (Window(1), "■□□ □■□ □□■"),
    (Window(3), "■□□□□ ■■□□□ ■■■□□ □■■■□ □□■■■"),
    (Window(2, ahead=1), "■■□□ ■■■□ □■■■ □□■■"),
    (Window(2), "□□■■"),
    (Window(2, ahead=1), "□□ ■□ ■■ ■■"),
    (Window(9), "■□□ ■■□ ■■■"),
    (Sinks(2), "■■□□ ■■□□ ■■□□"),
    (Sinks(0), "□□ □□"),
    (Sinks(5), "■■ ■■ ■■"),
    (Prefix(1), "■□□ ■□□ ■□□"),
    (Strided(2), "■□■□ □■□■ ■□■□ □■□■"),
    (Strided(3), "□■□□■ □□■□□ ■□□■□ □■□□■"),
    (Strided(1), "■■ ■■"),
    (Dilated(2, 2), "■□□□□ □■□□□ ■□■□□ □■□■□ □□■□■"),
    (Dilated(3, 1), "■□□□ ■■□□ ■■■□ □■■■"),
    (Dilated(2, 3), "□■□□■"),
    (Blocks(2), "■■□□□ ■■□□□ □□■■□ □□■■□ □□□□■"),
    (Blocks(3), "□□□■■ □□□■■"),
    (Blocks(2), "□□ □□ ■■ ■■"),
    (Causal() & (Sinks(1) | Window(2)), "■□□□□ ■■□□□ ■■■□□ ■□■■□ ■□□■■"),  # StreamingLLM
    (Causal() | Prefix(2), "■■□□ ■■□□ ■■■□ ■■■■"),  # prefix language model
    (Causal() & (Window(3) | Strided(3)), "■□□□□□ ■■□□□□ ■■■□□□ ■■■■□□ □■■■■□ □□■■■■"),  # Sparse Transformer, both heads
    (Causal() & Blocks(2), "■□□□ ■■□□ □□■□ □□■■"),
    (~Causal(), "□■■ □□■ □□□"),
)


@pytest.mark.parametrize(("mask", "picture"), PICTURES, ids=str)
def test_the_rule_is_its_picture(mask: Mask, picture: str) -> None:
    expected = table(picture)
    dense = mask.dense(*expected.shape)
    assert dense.dtype is torch.bool
    assert dense.dim() == 4
    assert torch.equal(dense.expand(1, 1, *expected.shape)[0, 0], expected)
    assert mask.draw(*expected.shape).split() == picture.split()


def test_an_axis_over_which_the_rule_does_not_vary_has_size_one() -> None:
    assert Causal().dense(3, 5).shape == (1, 1, 3, 5)
    assert Sinks(2).dense(3, 5).shape == (1, 1, 1, 5)
    assert Prefix(torch.tensor([1, 2])).dense(3, 5).shape == (2, 1, 1, 5)


def test_a_prefix_of_its_own_for_each_sequence() -> None:
    dense = (Causal() | Prefix(torch.tensor([0, 2, 9]))).dense(3, 3)
    assert torch.equal(dense[:, 0], torch.stack([table("■□□ ■■□ ■■■"), table("■■□ ■■□ ■■■"), table("■■■ ■■■ ■■■")]))


def test_dilated_by_one_is_a_window() -> None:
    assert torch.equal(Dilated(5, 1).dense(4, 11), Window(5).dense(4, 11))


def test_no_query_and_no_key() -> None:
    for mask in (Causal(), Window(2), Sinks(1), Strided(2), Blocks(2)):
        assert mask.dense(0, 4).expand(1, 1, 0, 4).numel() == 0
        assert mask.dense(3, 0).expand(1, 1, 3, 0).numel() == 0
        assert mask.density(3, 0) == mask.density(0, 4) == 0.0
