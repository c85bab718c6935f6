"""Batches of recordings: of similar lengths, each once an epoch, and resumable."""

from __future__ import annotations

import torch

from heedful.data.audio.recordings import Utterance, gathered
from heedful.data.audio.rows import SpeechFeed, speech_rows
from heedful.data.batches import ALONE
from heedful.data.tokens import train_tokenizer
from heedful.spec.train import TrainSpec


def test_batches_hold_waves_and_their_words() -> None:
    some = gathered([Utterance(torch.full((10 * (i + 1),), 0.1 * i), "ab"[i % 2] * (i % 3 + 1), "", str(i)) for i in range(7)], 8000)
    rows = speech_rows(some, train_tokenizer("char", [" ab"]), context=8)
    feed = SpeechFeed(rows, rows)
    source = feed.source(TrainSpec(batch=3), ALONE)
    seen = []
    for _ in range(3):
        batch = source.draw()
        seen += batch.lengths.tolist()
        assert batch.waves.shape == (len(batch.lengths), int(batch.lengths.max()))
        assert bool((batch.ids[:, 0] == rows.mark).all())
        for wave, length in zip(batch.waves, batch.lengths.tolist(), strict=True):
            assert not bool(wave[length:].any())
    assert sorted(seen) == [10 * (i + 1) for i in range(7)]
    place = source.cursor()
    after = source.draw()
    source.seek(place)
    assert torch.equal(source.draw().waves, after.waves)
    assert len(feed.fingerprint()) == 64
