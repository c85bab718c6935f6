"""The scores of a whole text: every token counted once, by every protocol, and the metrics file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from heedful.errors import DataError, UsageError
from heedful.tasks.evaluation import evaluate, row, strided
from heedful.tasks.generate import Generate
from heedful.tasks.loading import load
from heedful.tasks.task import Measure
from heedful.train.metrics import Tally


@pytest.mark.parametrize(("n", "context", "stride"), [(12, 4, 3), (13, 4, 4), (5, 8, 2), (50, 8, 1), (33, 16, 5), (2, 4, 1), (9, 8, 8)])
def test_strides_score_every_token_once(n: int, context: int, stride: int) -> None:
    ids = torch.arange(n)
    batches = list(strided(ids, 3, context, stride))
    scored = torch.cat([batch.labels[batch.labels >= 0] for batch in batches])
    assert sorted(scored.tolist()) == list(range(1, n))
    for batch in batches:
        kept = batch.labels >= 0
        assert torch.equal(batch.labels[kept], batch.ids[kept] + 1)


def test_a_stride_gives_every_token_the_rest_of_a_context() -> None:
    for batch in list(strided(torch.arange(50), 3, 8, 2))[1:]:
        assert (batch.labels[:, :6] < 0).all()


def test_a_stride_beyond_the_context_is_refused() -> None:
    with pytest.raises(UsageError, match="1 to 8"):
        list(strided(torch.arange(20), 2, 8, 9))


def test_the_loss_is_that_of_every_block(run: Path) -> None:
    loaded = load(run)
    found = evaluate(loaded, Measure())
    row = found.rows[loaded.spec.model.kind]
    ids = loaded.tokenizer.encode(loaded.corpus().validation)
    losses = []
    with torch.no_grad():
        for start in range(0, len(ids) - 1, 16):
            block = ids[start : start + 17]
            losses.append(-loaded.model(block[None, :-1]).logits[0].log_softmax(-1).gather(1, block[1:, None]))
    loss = torch.cat(losses).mean().item()
    assert row["tokens"] == len(ids) - 1
    assert row["loss"] == pytest.approx(loss, rel=1e-5)
    assert row["perplexity"] == pytest.approx(math.exp(loss), rel=1e-4)
    assert row["bits_per_character"] == pytest.approx(loss / math.log(2), rel=1e-5)
    assert "blocks of 16" in found.protocol


def test_baselines_and_parts_stand_side_by_side_in_metrics_json(rope_run: Path) -> None:
    Generate().evaluate(rope_run, Measure(baselines=True))
    Generate().evaluate(rope_run, Measure(split="whole", stride=4))
    written = json.loads((rope_run / "metrics.json").read_text())
    assert set(written) == {"validation", "whole"}
    assert set(written["validation"]["models"]) == {"transformer", "unigram", "trigram"}
    losses = {name: row["loss"] for name, row in written["validation"]["models"].items()}
    assert losses["trigram"] < losses["unigram"]
    assert "4 tokens scored at a time with at least 12 before them" in written["whole"]["protocol"]


def test_other_data_is_measured_whole_unless_a_part_is_named(rope_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("not to be\n" * 3)
    found = Generate().evaluate(rope_run, Measure(data=str(other)))
    assert found.rows["transformer"]["tokens"] == 29


def test_an_empty_part_is_refused(rope_run: Path) -> None:
    with pytest.raises(DataError, match="the test part"):
        Generate().evaluate(rope_run, Measure(split="test"))


def test_words_are_counted_with_their_line_ends() -> None:
    found = row(Tally(nats=12.0, tokens=6, correct=3), "x to be\nor not\n", "x")
    assert found["word_perplexity"] == pytest.approx(math.exp(12.0 / 6))
    assert (found["perplexity"], found["characters"], found["accuracy"]) == (pytest.approx(math.exp(2.0)), 14, 0.5)
    assert row(Tally(12.0, 6, -1), "x to", "x")["accuracy"] is None
