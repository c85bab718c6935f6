"""Questions and histories kept open: what met, and which past items each looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heedful.web.runs.run import Wanted
from heedful.web.runs.table import open_run
from web.learnt import learnt

pytestmark = pytest.mark.slow


def test_a_question_and_the_entry_it_met(tmp_path: Path) -> None:
    run = open_run(learnt("match", tmp_path / "match"))
    reading = run.read(Wanted("how do I open a file"))
    asked, entry = reading.texts
    assert asked == ["␣how", "␣do", "␣i", "␣open", "␣a", "␣file"]
    assert reading.sides == ("The question", "The entry")
    assert reading.maps[0].weights.shape == (1, len(asked), len(entry))
    assert not reading.mutable
    assert run.why_unplanned is not None
    found = run.reasons(Wanted("how do I open a file"), "occlusion")
    assert len(found.scores) == len(asked) + len(entry)


def test_past_items_and_what_each_looked_at(tmp_path: Path) -> None:
    run = open_run(learnt("recommend", tmp_path / "recommend"))
    text = " ".join(run.way.loaded.tokenizer.names[:5])  # type: ignore[attr-defined]
    reading = run.read(Wanted(text))
    count = len(reading.texts[0])
    assert count == 5
    assert abs(sum(reading.record["probabilities"].values())) <= 1
    for layer, each in enumerate(reading.maps):
        for head in range(len(each.weights)):
            weights = reading.head(layer, head)
            assert not weights.triu(1).any()  # nothing looks ahead
            assert torch.allclose(weights.sum(-1), torch.ones(count), atol=count * 2**-23)
    assert len(run.reasons(Wanted(text), "occlusion").scores) == count
    silent = run.read(Wanted(text, silent=tuple((0, head) for head in range(len(reading.maps[0].weights)))))
    assert silent.record["items"] != reading.record["items"]
