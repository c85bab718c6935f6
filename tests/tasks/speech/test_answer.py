"""Silence that a model leaves out moves no word: seconds are those of the recording, and nothing was read from what was left out."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from heedful.spec.search import Search
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.explained import looked
from heedful.tasks.speech.inputs import Input

SILENCE = 4000  # samples, half a second


def test_words_stand_where_they_were_said(babbler: Callable, said: Tensor) -> None:
    mine, voice = babbler(6, quiet=25.0), said[:6000]
    later = pad(voice, (SILENCE, SILENCE))
    alone, found = (Transcribed(mine, Input("a.wav", wave), Search(beams=2)) for wave in (voice, later))
    assert found.heard.memory.shape[1] < alone.heard.memory.shape[1] + 3  # silence is no part of what was heard
    assert found.skipped * mine.seconds > 0.4
    words = found.record()["words"]
    assert words
    assert all(0.4 < word["from"] < word["to"] < 0.5 + len(voice) / 8000 + 0.1 for word in words)


def test_nothing_was_read_from_what_was_left_out(babbler: Callable, said: Tensor) -> None:
    mine = babbler(6, quiet=25.0)
    later = pad(said[:6000], (SILENCE, SILENCE))
    found = Transcribed(mine, Input("a.wav", later), Search(beams=2))
    (trace,) = looked(found)
    weights = trace.weights[0, 0]
    assert weights.shape[1] == 1 + (1 + (len(later) - 200) // 80 - 1) // 4
    torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)))
    assert not weights[:, : found.skipped].any()
    assert not weights[:, found.skipped + found.heard.memory.shape[1] :].any()
