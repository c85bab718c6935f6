"""Batches of pictures: each once an epoch, shared among processes, and resumable."""

from __future__ import annotations

import pytest
import torch

from heedful.data.batches import Share
from heedful.data.images.batches import Drawn, ImageBatch, PictureFeed, every
from heedful.errors import DataError, UsageError
from heedful.spec import TrainSpec

WHOLE = ImageBatch(torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1), torch.arange(10))


def test_each_picture_comes_once_an_epoch() -> None:
    batches = Drawn(WHOLE, 3, seed=1)
    first = torch.cat([batches.draw().labels for _ in range(3)])
    assert len(first.unique()) == 9
    second = torch.cat([batches.draw().labels for _ in range(3)])
    assert first.tolist() != second.tolist()


def test_processes_share_a_batch() -> None:
    alone, left, right = Drawn(WHOLE, 4), Drawn(WHOLE, 2, Share(0, 2)), Drawn(WHOLE, 2, Share(1, 2))
    assert set(alone.draw().labels.tolist()) == {*left.draw().labels.tolist(), *right.draw().labels.tolist()}


@pytest.mark.parametrize("order", ["shuffled", "random"])
def test_it_goes_on_where_it_stood(order: str) -> None:
    batches, again = (Drawn(WHOLE, 3, seed=2, order=order) for _ in range(2))  # type: ignore[arg-type]
    for _ in range(5):
        batches.draw()
    again.seek(batches.cursor())
    assert torch.equal(again.draw().labels, batches.draw().labels)


def test_a_batch_larger_than_the_set_repeats_it() -> None:
    assert len(Drawn(WHOLE, 25).draw().labels) == 25


def test_all_are_judged_once_and_streams_are_refused() -> None:
    assert torch.cat([batch.labels for batch in every(WHOLE, 4)]).tolist() == list(range(10))
    feed = PictureFeed(WHOLE, WHOLE)
    assert feed.fingerprint() != PictureFeed(ImageBatch(WHOLE.pixels + 1, WHOLE.labels), WHOLE).fingerprint()
    with pytest.raises(UsageError, match="pictures stand alone"):
        feed.source(TrainSpec(order="stream"), Share())
    with pytest.raises(DataError, match="no pictures"):
        Drawn(ImageBatch(WHOLE.pixels[:0], WHOLE.labels[:0]), 2)
