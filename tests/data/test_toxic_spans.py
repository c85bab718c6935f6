"""Sentences with what readers marked in them, and where tokens stand in a text."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.toxic_spans import marked, sentences
from heedful.data.tokens import train_tokenizer
from heedful.data.tokens.offsets import offsets
from heedful.spec.data import DataSpec

POST = 'x,y\n"[4, 5, 6, 7]","You dumb fool! I like the rain. No"\n'


def test_sentences_keep_their_marks() -> None:
    text = "  So dumb!! It is a fine day\nand a dumb one."
    spans = frozenset([*range(5, 9), *range(35, 39)])
    found = list(sentences(text, spans))
    assert [each.text for each in found] == ["So dumb!!", "It is a fine day", "and a dumb one."]
    assert [each.label for each in found] == ["toxic", "neutral", "toxic"]
    for each in found:
        assert {each.text[at] for at in each.marks} <= set("dumb")
        assert len(each.marks) in (0, 4)


def test_the_set_is_read_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "toxic-spans"
    home.mkdir()
    for name in ("tsd_train.csv", "tsd_trial.csv", "tsd_test.csv"):
        (home / name).write_text(POST.replace("x,y", "spans,text"))
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    corpus = load_labelled(DataSpec("toxic-spans"))
    assert [len(corpus.part(part)) for part in ("train", "validation", "test")] == [2, 2, 2]
    assert corpus.labels == ("neutral", "toxic")
    assert [sorted(each.marks) for each in marked(home, "test")] == [[4, 5, 6, 7], []]


@pytest.mark.data
@pytest.mark.skipif("HEEDFUL_DATA" not in os.environ, reason="HEEDFUL_DATA names no folder of data sets")
def test_the_real_set_has_its_counts() -> None:
    corpus = load_labelled(DataSpec("toxic-spans"))
    assert [len(corpus.part(part)) for part in ("train", "validation", "test")] == [24291, 2077, 5698]


@pytest.mark.parametrize("kind", ["char", "byte", "bpe", "word"])
def test_offsets_are_where_tokens_stand(kind: str) -> None:
    text = "So é it,  be\nthe end: naïve"
    tokenizer = train_tokenizer(kind, [text * 3], 300 if kind == "bpe" else None)
    found, ids = offsets(tokenizer, text), tokenizer.encode(text).tolist()
    assert len(found) == len(ids)
    for (first, end), token in zip(found, ids, strict=True):
        piece = tokenizer.pieces[token].decode("utf-8", "ignore")
        assert text[first:end].strip() == piece.strip() or (kind in ("byte", "bpe") and piece.strip() in text[first:end])
    assert all(a[0] <= b[0] for a, b in pairwise(found))
