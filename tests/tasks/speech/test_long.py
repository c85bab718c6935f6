"""More is said than a model writes at once: it is heard in parts, and nothing is lost or said twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from heedful.spec.search import Search
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.long import Long, answer, cuts
from heedful.tasks.speech.spans import Span


def test_a_short_one_is_heard_at_once(babbler: Callable, said: Tensor) -> None:
    found = answer(babbler(99), Input("a.wav", said[:2000]), Search(beams=2))
    assert isinstance(found, Transcribed)


def test_a_long_one_is_heard_in_parts_that_are_all_of_it(babbler: Callable, said: Tensor) -> None:
    mine = babbler(4)
    found = answer(mine, Input("a.wav", said, "what was said"), Search(beams=2), ("one", "two", "three"))
    assert isinstance(found, Long)
    assert torch.equal(torch.cat([part.given.wave for part in found.parts]), said)
    record = found.record()
    assert record["parts"] == len(found.parts) > 1
    assert record["text"] == " ".join(found.pieces()) == " ".join(part.text for part in found.parts if part.text)
    assert record["truth"] == "what was said"
    times = [word["from"] for word in record["words"]]
    assert times == sorted(times)
    assert times[-1] > len(found.parts[0].given.wave) / 8000
    assert record["words"][-1]["to"] <= record["seconds"] + mine.seconds
    assert record["spotted"] == [word for word in record["words"] if word["word"] in ("one", "two", "three")]


def test_without_frames_that_say_tokens_a_long_one_is_cut_off(babbler: Callable, said: Tensor) -> None:
    found = answer(babbler(4, ctc=0.0), Input("a.wav", said), Search(beams=2))
    assert isinstance(found, Transcribed)


@pytest.mark.parametrize(("most", "starts"), [(1, [0, 3, 6]), (2, [0, 6]), (3, [0]), (9, [0])])
def test_parts_begin_at_the_softest_frame_between_tokens(most: int, starts: list[int]) -> None:
    spans = [Span(1, 2, 1.0), Span(4, 5, 1.0), Span(8, 9, 1.0)]
    assert cuts(spans, torch.tensor([0.0, 9, 3, 1, 9, 5, 2, 4, 9]), most) == starts


def test_tokens_side_by_side_are_parted_between_them() -> None:
    spans = [Span(0, 1, 1.0), Span(1, 2, 1.0), Span(2, 3, 1.0)]
    assert cuts(spans, torch.tensor([5.0, 1.0, 3.0]), 1) == [0, 1, 2]
