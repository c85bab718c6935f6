"""Runs of words as tokens: what is kept, what is left out, and where it stands in the text."""

from __future__ import annotations

import pytest

from heedful.data.tokens import tokenizer_from, tokenizer_state, train_tokenizer
from heedful.data.tokens.runs import LetteredRuns, Runs, runs_of

TEXT = "it was not good\nit was not good at all\nnot good\n"


def test_the_edges_of_a_text_are_part_of_its_runs() -> None:
    runs = [run.replace("\x02", "|") for run, _, _ in runs_of("not good", letters=False)]
    assert runs == ["not", "| not", "good", "not good", "| not good", "good |", "not good |"]
    assert not list(runs_of("", letters=True))


def test_what_occurs_once_is_left_out_unless_a_size_is_given() -> None:
    tokens = Runs.train([TEXT], None)
    assert {"not good", "it was not", "| it"} <= {piece.decode() for piece in tokens.pieces}
    assert "at all" not in tokens.runs
    assert len(tokens.encode("at all the others")) == 0
    assert Runs.train([TEXT], 4).size == 4
    assert Runs.train(["one\n"], None).size > 0  # of texts in which nothing occurs twice, all


def test_spans_say_where_every_token_stands() -> None:
    for kind in (Runs, LetteredRuns):
        tokens, text = kind.train([TEXT], None), "It was it was not good".lower()
        spans = tokens.spans(text)
        assert [token for token, _, _ in spans] == tokens.encode(text).tolist()
        for token, first, last in spans:
            words = tokens.runs[token].replace("\x02", "").strip()
            if kind is Runs:
                assert " ".join(text[first:last].split()) == words


def test_words_are_told_from_longer_runs_and_from_letters() -> None:
    tokens = LetteredRuns.train([TEXT], None)
    single = {run for run, word in zip(tokens.runs, tokens.words(), strict=True) if word}
    assert single == {"it", "was", "not", "good"}


def test_an_unseen_word_is_known_by_its_letters() -> None:
    tokens = LetteredRuns.train(["walking\nwalking\nwalked\nwalked\n"], None)
    found = [tokens.show(i) for i in tokens.encode("walks").tolist()]
    assert any("walk" in piece for piece in found)
    assert not len(Runs.train(["walking\nwalking\n"], None).encode("walks"))


def test_chinese_has_runs_of_characters() -> None:
    tokens = Runs.train(["我喜欢这部电影\n我不喜欢这部电影\n"], None)
    assert "喜 欢" in tokens.runs
    assert len(tokens.encode("我喜欢")) >= 5


@pytest.mark.parametrize("kind", ["runs", "letter_runs"])
def test_it_is_the_same_from_its_state(kind: str) -> None:
    tokens = train_tokenizer(kind, [TEXT], None)
    again = tokenizer_from(tokenizer_state(tokens))
    assert again.encode(TEXT).tolist() == tokens.encode(TEXT).tolist()
    assert list(again.pieces) == list(tokens.pieces)
