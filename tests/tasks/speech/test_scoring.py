"""Word errors against jiwer, which counts them the same way."""

from __future__ import annotations

import random

import pytest

from heedful.tasks.speech.scoring import Errors, errors, scored, total


def test_it_is_jiwers() -> None:
    jiwer = pytest.importorskip("jiwer")
    draw = random.Random(0)
    pairs = [[[draw.choice("abcd") for _ in range(draw.randint(low, 9))] for low in (1, 0)] for _ in range(300)]
    for said, heard in pairs:
        ours, theirs = errors(heard, said), jiwer.process_words(" ".join(said), " ".join(heard))
        assert ours.rate == pytest.approx(theirs.wer)
        assert ours.deletions - ours.insertions == theirs.deletions - theirs.insertions == len(said) - len(heard)
    heards, saids = ([" ".join(pair[i]) for pair in pairs] for i in (1, 0))
    assert total(scored(heards, saids)).rate == pytest.approx(jiwer.wer(saids, heards))


def test_every_kind_of_error_is_told() -> None:
    assert errors([], ["a", "b"]) == Errors(2, 0, 2, 0, 1, 0)
    assert errors(["a", "b"], []) == Errors(0, 0, 0, 2, 1, 0)
    assert errors(["a", "x", "c"], ["a", "b", "c"]) == Errors(3, 1, 0, 0, 1, 0)
    assert errors(["a"], ["a"]) == Errors(1, 0, 0, 0, 1, 1)
    assert errors(["a"], []).rate == 1.0
    assert total([]).rate == 0.0
