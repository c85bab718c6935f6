"""Windows: each interaction once an epoch as a target, the same again after a seek; and histories to be judged."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from heedful.data.batches import Share
from heedful.data.interactions.batches import IGNORED, Windows, judging
from heedful.data.interactions.feed import HistoryFeed
from heedful.data.interactions.sequences import sequences
from heedful.data.interactions.simulated import simulated_reader
from heedful.errors import DataError, UsageError
from heedful.spec import TrainSpec
from heedful.spec.interactions import LogDataSpec

ROWS = [np.arange(n) + 100 * i for i, n in enumerate((9, 1, 4, 2, 13))]
TIMES = [row * 10 for row in ROWS]


def test_every_item_but_the_first_is_a_target_once_an_epoch() -> None:
    windows = Windows(ROWS, TIMES, batch=2, context=4)
    batches = [windows.draw() for _ in range(len(windows.batches))]
    assert windows.place == len(windows.batches)
    targets = Counter(label for batch in batches for label in batch.labels.flatten().tolist() if label != IGNORED)
    assert targets == Counter(item for row in ROWS for item in row[1:].tolist())
    for batch in batches:
        real = batch.labels != IGNORED
        assert bool((batch.labels[real] == batch.ids[real] + 1).all())
        assert bool((batch.times[real] == batch.ids[real] * 10).all())
        assert batch.ids.shape[1] <= 4


def test_a_seek_brings_the_same_batches_again() -> None:
    one, other = (Windows(ROWS, TIMES, batch=2, context=4, seed=3) for _ in range(2))
    for _ in range(7):
        one.draw()
    other.seek(one.cursor())
    for _ in range(6):
        assert torch.equal(one.draw().ids, other.draw().ids)


def test_processes_share_each_batch() -> None:
    whole = Windows(ROWS, TIMES, batch=4, context=4)
    parts = [Windows(ROWS, TIMES, batch=2, context=4, share=Share(rank, 2)) for rank in range(2)]
    both = torch.cat([part.draw().labels.max(1).values for part in parts])
    assert sorted(both.tolist()) == sorted(whole.draw().labels.max(1).values.tolist())


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError, match="two interactions"):
        Windows([np.arange(1)], [np.arange(1)], batch=2, context=4)


def test_a_history_is_asked_for_what_came_and_nothing_later() -> None:
    found = sequences(simulated_reader(), LogDataSpec())
    places = found.targets("test")
    seen_places: list[int] = []
    for at, batch in judging(found, places, 64, context=5, filtered=True):
        for row, place in enumerate(at.tolist()):
            length = int((batch.labels[row] != IGNORED).nonzero()) + 1
            start = int(found.starts[found.owner[place]])
            assert batch.ids[row, :length].tolist() == found.item[max(start, place - 5) : place].tolist()
            assert int(batch.labels[row, length - 1]) == found.item[place]
            assert batch.seen is not None
            assert [i for i in batch.seen[row].tolist() if i >= 0] == found.item[start:place].tolist()
        seen_places += at.tolist()
    assert sorted(seen_places) == places.tolist()


def test_judging_leaves_out_what_no_model_could_know() -> None:
    found = sequences(simulated_reader(), LogDataSpec())
    known = [found.names[i] for i in np.unique(found.item[found.part == 0])]
    feed = HistoryFeed(found.coded(known), 10, True)
    for batch in feed.judged(TrainSpec(eval_batch=500)):
        assert int(batch.ids.max()) < len(known)
        assert int(batch.labels.max()) < len(known)
    with pytest.raises(UsageError, match="stream"):
        feed.source(TrainSpec(order="stream"), Share())
