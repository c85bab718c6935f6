"""Random and BigBird: how many are drawn, that the draw is one, and that it is the same everywhere."""

from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.attention.masks.chance import mixed
from heedful.masks import BigBird, Causal, Mask, Random


@pytest.mark.parametrize(("keys", "k_len"), [(1, 7), (3, 7), (7, 7), (9, 7), (5, 64), (63, 64), (10, 100)])
def test_each_query_sees_so_many_different_keys(keys: int, k_len: int) -> None:
    for q_len in (1, 5, k_len, k_len + 3):
        counts = Random(keys, seed=3).dense(q_len, k_len)[0, 0].sum(-1)
        assert counts.tolist() == [min(keys, k_len)] * q_len


def test_the_seed_and_the_query_make_the_draw() -> None:
    one, other = Random(4, seed=1).dense(32, 32), Random(4, seed=2).dense(32, 32)
    assert not torch.equal(one, other)
    assert torch.equal(one, Random(4, seed=1).dense(32, 32))
    assert len({tuple(row) for row in one[0, 0].int().tolist()}) > 28


def test_every_key_has_the_same_chance() -> None:
    """4,000 queries draw 5 of 20: each key is expected 1,000 times, with a deviation of 27."""
    counts = Random(5, seed=9).dense(4000, 20)[0, 0].sum(0)
    assert (counts - 1000).abs().max() < 5 * 27


def test_hashes_fill_their_range_and_do_not_follow_each_other() -> None:
    words = mixed(0, torch.arange(4096)[:, None], torch.arange(4))
    assert words.unique().numel() == words.numel()
    assert int(words.min()) >= 0
    assert int(words.max()) < 2**32
    bits = (words[..., None] >> torch.arange(32)) & 1
    assert (bits.double().mean((0, 1)) - 0.5).abs().max() < 0.02
    uniform = words.double() / 2**32
    assert abs(float(torch.corrcoef(torch.stack([uniform[:-1, 0], uniform[1:, 0]]))[0, 1])) < 0.06


def test_a_known_draw_stays() -> None:
    """Plans and checkpoints hold the seed only: these keys must never change."""
    assert Random(2, seed=0).dense(3, 8)[0, 0].nonzero()[:, 1].tolist() == [3, 7, 0, 7, 1, 4]


def test_more_keys_change_the_draw() -> None:
    assert not Random(2).stable
    assert not BigBird(1).stable
    assert BigBird(1, random=0).stable
    assert not (Causal() & Random(2)).stable


def test_bigbird_near_and_shared() -> None:
    mask = BigBird(block=2, window=3, sinks=1, random=0)
    rows = "■■■■■■■■■■ ■■■■■■■■■■ ■■■■■■□□□□ ■■■■■■□□□□ ■■■■■■■■□□ ■■■■■■■■□□ ■■□□■■■■■■ ■■□□■■■■■■ ■■□□□□■■■■ ■■□□□□■■■■"
    assert torch.equal(mask.dense(10, 10)[0, 0], table(rows))
    assert torch.equal(mask.dense(3, 10), mask.dense(10, 10)[:, :, 7:])
    even = BigBird(block=1, window=2, sinks=0, random=0)
    assert torch.equal(even.dense(3, 3)[0, 0], table("■□□ ■■□ □■■"))


def test_bigbird_draws_whole_blocks_that_it_does_not_see_anyway() -> None:
    block, drawn_blocks = 4, 2
    with_draw = BigBird(block, window=3, sinks=1, random=drawn_blocks, seed=5).dense(64, 64)[0, 0]
    without = BigBird(block, window=3, sinks=1, random=0).dense(64, 64)[0, 0]
    extra = (with_draw & ~without).reshape(16, block, 16, block)
    assert torch.equal(extra, extra[:, :1, :, :1].expand_as(extra))
    assert extra[:, 0, :, 0].sum(-1).tolist() == [0] + [drawn_blocks] * 15
    assert not (without & ~with_draw).any()


def test_bigbird_draws_all_that_are_left() -> None:
    assert BigBird(block=1, window=3, sinks=1, random=50).dense(9, 9).all()
    assert BigBird(block=3, window=1, sinks=9, random=2).dense(9, 9).all()


def test_queries_before_the_first_key_are_none_of_the_shared() -> None:
    dense = BigBird(block=1, window=1, sinks=1, random=0).dense(4, 2)[0, 0]
    assert torch.equal(dense, table("■□ ■□ ■■ ■■"))


@pytest.mark.parametrize(
    "mask", [Random(3, seed=4), Random(50), BigBird(3, random=2, seed=4), BigBird(4, sinks=0, random=1), BigBird(1, random=0)], ids=str
)
@pytest.mark.parametrize(("q_len", "k_len"), [(13, 13), (2, 17), (17, 5), (1, 1), (3, 0)])
def test_row_by_row_is_entry_by_entry(mask: Mask, q_len: int, k_len: int) -> None:
    q, k = torch.meshgrid(torch.arange(q_len), torch.arange(k_len), indexing="ij")
    zero = torch.zeros_like(q)
    assert torch.equal(mask.dense(q_len, k_len)[0, 0], mask.mask_mod(q_len, k_len)(zero, zero, q, k))
