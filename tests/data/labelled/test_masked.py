from __future__ import annotations

import math

import torch

from heedful.data.batches import Share
from heedful.data.labelled.batches import TextBatch
from heedful.data.labelled.masked import BLANK, HIDDEN, MaskedFeed, hidden
from heedful.data.labelled.rows import Rows
from heedful.spec.train import TrainSpec


def batch(texts: int, length: int) -> TextBatch:
    return TextBatch(torch.randint(50, (texts, length)), torch.full((texts,), length), torch.zeros(texts, dtype=torch.long))


def test_the_shares_are_berts() -> None:
    whole = batch(100, 200)
    found = hidden(whole, 50, torch.Generator().manual_seed(1))
    count = whole.ids.numel()
    sd = math.sqrt(count * HIDDEN * (1 - HIDDEN))
    assert abs(len(found.places) - HIDDEN * count) < 5 * sd
    blank = int(found.blank.sum())
    assert abs(blank - BLANK * len(found.places)) < 5 * math.sqrt(len(found.places) * BLANK * (1 - BLANK))
    elsewhere = torch.ones(count, dtype=torch.bool)
    elsewhere[found.places] = False
    assert torch.equal(found.ids.flatten()[elsewhere], whole.ids.flatten()[elsewhere])
    assert torch.equal(found.labels, whole.ids.flatten()[found.places])


def test_padding_is_never_guessed_and_one_token_always_is() -> None:
    for seed in range(20):
        found = hidden(TextBatch(torch.tensor([[7, 0, 0]]), torch.tensor([1]), torch.tensor([0])), 9, torch.Generator().manual_seed(seed))
        assert found.places.tolist() == [0]


def test_a_run_that_goes_on_hides_what_it_would_have() -> None:
    lengths = torch.tensor([3, 5, 4, 6, 2, 7])
    rows = Rows(torch.arange(27), lengths.cumsum(0) - lengths, lengths, torch.zeros(6, dtype=torch.long))
    feed, spec = MaskedFeed(rows, rows, 30), TrainSpec(batch=2, order="shuffled")
    first = feed.source(spec, Share(0, 1))
    drawn = [first.draw() for _ in range(8)]
    again = feed.source(spec, Share(0, 1))
    for _ in range(4):
        again.draw()
    resumed = feed.source(spec, Share(0, 1))
    resumed.seek(again.cursor())
    for one, other in zip(drawn[4:], (resumed.draw() for _ in range(4)), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    judged = [list(feed.judged(spec)) for _ in range(2)]
    assert all(torch.equal(a.places, b.places) for a, b in zip(*judged, strict=True))
