from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from heedful.data.batches import ORDERS, Batch, Batches, RandomWindows, Share, Shuffled, Streams, whole
from heedful.errors import DataError

TOKENS = torch.arange(1000)
KINDS = list(ORDERS.values())


def drawn(batches: Batches, count: int) -> list[Batch]:
    return [batches.draw() for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_the_next_tokens(kind: Callable[..., Batches]) -> None:
    for batch in drawn(kind(TOKENS, 4, 16), 40):
        assert batch.ids.shape == batch.labels.shape == (4, 16)
        assert torch.equal(batch.labels, batch.ids + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cursor_leads_back_to_the_same_batches(kind: Callable[..., Batches]) -> None:
    batches = kind(TOKENS, 4, 16, seed=3)
    drawn(batches, 21)
    cursor = batches.cursor()
    expected = drawn(batches, 30)
    fresh = kind(TOKENS, 4, 16, seed=3)
    fresh.seek(cursor)
    for found, wanted in zip(drawn(fresh, 30), expected, strict=True):
        assert torch.equal(found.ids, wanted.ids)
        assert found.fresh == wanted.fresh


@pytest.mark.parametrize("kind", [RandomWindows, Shuffled])
def test_the_seed_decides_the_order_and_the_global_generator_does_not(kind: Callable[..., Batches]) -> None:
    first = drawn(kind(TOKENS, 4, 16, seed=1), 5)
    torch.manual_seed(99)
    again, other = drawn(kind(TOKENS, 4, 16, seed=1), 5), drawn(kind(TOKENS, 4, 16, seed=2), 5)
    assert all(torch.equal(a.ids, b.ids) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a.ids, b.ids) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_processes_share_what_one_would_draw(kind: Callable[..., Batches]) -> None:
    alone = kind(TOKENS, 4, 16)
    shares = [kind(TOKENS, 2, 16, Share(rank, 2)) for rank in range(2)]
    for _ in range(10):
        rows = torch.stack([batches.draw().ids for batches in shares], dim=1).flatten(0, 1)
        assert torch.equal(rows, alone.draw().ids)


def test_random_windows_reach_both_ends() -> None:
    seen = torch.cat([batch.ids.flatten() for batch in drawn(RandomWindows(torch.arange(20), 8, 4), 50)])
    assert set(seen.tolist()) == set(range(19))


def test_shuffled_segments_come_once_an_epoch() -> None:
    batches = Shuffled(TOKENS, 7, 16)
    starts = torch.cat([batch.ids[:, 0] for batch in drawn(batches, len(batches.starts) // 7)])
    assert len(set(starts.tolist())) == len(starts)
    assert len(set((starts % 16).tolist())) == 1
    assert batches.epoch == 0
    batches.draw()
    assert batches.epoch == 1


def test_a_text_of_one_window_still_fills_a_batch() -> None:
    assert Shuffled(torch.arange(17), 4, 16).draw().ids.shape == (4, 16)


def test_streams_go_on_where_they_were() -> None:
    streams = Streams(torch.arange(101), 2, 10)
    batches = drawn(streams, 7)
    assert [batch.fresh for batch in batches] == [True, False, False, False, False, True, False]
    for before, after in pairwise(batches[:5]):
        assert torch.equal(after.ids[:, 0], before.labels[:, -1])
    assert torch.equal(torch.cat([batch.ids for batch in batches[:5]], dim=1).flatten(), torch.arange(100))


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("length", [2, 3, 16, 17, 18, 33, 63, 64, 65, 100, 257, 1000])
def test_the_whole_text_is_judged_once(length: int, carry: bool) -> None:
    tokens = torch.arange(length)
    labels: list[Tensor] = []
    for batch in whole(tokens, 4, 16, carry):
        assert batch.ids.shape == batch.labels.shape
        assert batch.ids.shape[0] <= 4
        assert batch.ids.shape[1] <= 16
        assert torch.equal(batch.labels, batch.ids + 1)
        labels.append(batch.labels.flatten())
    assert torch.equal(torch.cat(labels).sort().values, torch.arange(1, length))


def test_judged_streams_go_on_from_batch_to_batch() -> None:
    before: Batch | None = None
    for batch in whole(TOKENS, 4, 16, carry=True):
        if not batch.fresh and before is not None:
            assert torch.equal(batch.ids[:, 0], before.labels[:, -1])
        before = batch


def test_too_short_a_text_says_what_it_needs() -> None:
    for kind in KINDS:
        with pytest.raises(DataError, match="16 tokens, a context of 16 needs at least 17"):
            kind(torch.arange(16), 1, 16)
    with pytest.raises(DataError, match="too few for 8 streams of 16: 129"):
        Streams(torch.arange(100), 8, 16)
    with pytest.raises(DataError, match="too short"):
        list(whole(torch.arange(1), 4, 16))


def test_an_epoch_is_as_many_batches_as_hold_the_text() -> None:
    assert RandomWindows(torch.arange(1025), 4, 16).batches_an_epoch == 16
    assert RandomWindows(torch.arange(1025), 2, 16, Share(1, 2)).batches_an_epoch == 16
