"""Batches of questions: nothing is lost, groups hold what they say, and any batch can be gone back to."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.data.batches import Share
from heedful.data.labelled.texts import Texts
from heedful.data.questions.feed import Grouped, every
from heedful.data.questions.reading import Reading, read, weighted
from heedful.data.tokens.grams import Grams
from heedful.errors import UsageError
from heedful.spec.train import TrainSpec

WORDS = ["lost", "stolen", "new", "old", "card", "pin", "fee", "rate", "top", "up", "refund", "cash"]
TEXTS = Texts(tuple(f"{WORDS[i % 12]} {WORDS[(5 * i) % 12]} {i}" for i in range(30)), tuple(f"c{i % 3}" for i in range(30)))
GRAMS = Grams.train(["\n".join(TEXTS.texts)], None)


@pytest.fixture
def reading() -> Reading:
    return read(TEXTS, ("c0", "c1", "c2"), GRAMS, 8)


def test_a_batch_holds_each_word_with_its_runs_and_each_text_with_its_weights(reading: Reading) -> None:
    batch = reading.batch(torch.tensor([3, 7]))
    for row, text in enumerate((TEXTS.texts[3], TEXTS.texts[7])):
        ids, weights = weighted(GRAMS, text)
        kept = batch.weights[row] > 0
        assert sorted(zip(batch.runs[row][kept].tolist(), batch.weights[row][kept].tolist(), strict=True)) == sorted(
            (run, pytest.approx(weight)) for run, weight in zip(ids, weights, strict=True)
        )
        for place, word in enumerate(text.split()):
            runs = batch.types[batch.words[row, place]]
            assert runs[runs > 0].tolist() == GRAMS.of_word(word)
    assert batch.labels.tolist() == [0, 1]


def test_weights_are_of_length_one_and_nothing_is_known_of_strange_texts() -> None:
    _, weights = weighted(GRAMS, "lost lost card")
    assert math.isclose(sum(weight**2 for weight in weights), 1.0, rel_tol=1e-12)
    assert weighted(GRAMS, "ξψ") == ([0], [0.0])


def test_an_epoch_has_every_text_once(reading: Reading) -> None:
    source = Grouped(reading, TrainSpec(batch=5, seed=3))
    seen = [place for row in source.batches.tolist() for place in row]
    assert sorted(seen) == list(range(30))
    judged = [place for places, _ in every(reading, 4) for place in places.tolist()]
    assert sorted(judged) == list(range(30))


def test_groups_hold_a_text_one_like_it_and_some_near_it(reading: Reading) -> None:
    labels = reading.words.labels
    near = torch.stack([(labels != label).nonzero().flatten()[:4] for label in labels])
    source = Grouped(reading, TrainSpec(batch=8, seed=1), near=near, hard=2)
    for _ in range(12):
        rows = source.batches[source.place if source.place < len(source.batches) else 0].view(-1, 4)
        for anchor, like, *unlike in rows.tolist():
            assert anchor != like
            assert labels[anchor] == labels[like]
            assert all(place in near[anchor].tolist() for place in unlike)
        assert source.draw().group == 4


def test_any_batch_can_be_gone_back_to(reading: Reading) -> None:
    source, again = (Grouped(reading, TrainSpec(batch=7, seed=5)) for _ in range(2))
    for _ in range(6):
        source.draw()
    again.seek(source.cursor())
    for _ in range(5):
        assert torch.equal(source.draw().runs, again.draw().runs)


def test_processes_share_each_batch(reading: Reading) -> None:
    spec = TrainSpec(batch=4, seed=2)
    parts = [Grouped(reading, spec, Share(rank, 2)) for rank in range(2)]
    assert torch.equal(parts[0].batches, parts[1].batches)
    first, second = (part.draw() for part in parts)
    together = sorted([*first.labels.tolist(), *second.labels.tolist()])
    assert together == sorted(reading.words.labels[parts[0].batches[0]].tolist())


def test_a_batch_that_groups_do_not_fill_is_refused(reading: Reading) -> None:
    with pytest.raises(UsageError, match="groups of 3"):
        Grouped(reading, TrainSpec(batch=8), near=torch.zeros(30, 1, dtype=torch.long), hard=1)
