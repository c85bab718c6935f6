from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.tasks.look.words import MOST, words


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("I love to read books.", ["I", "love", "to", "read", "books", "."]),
        ("It's 3.5 m, isn’t it?", ["It's", "3.5", "m", ",", "isn’t", "it", "?"]),
        ("注意力是资源。", ["注", "意", "力", "是", "资", "源", "。"]),
        ("読書が好き", ["読", "書", "が", "好", "き"]),
        ("我 爱 读书", ["我", "爱", "读书"]),
        ("  我爱  ", ["我", "爱"]),
        ("독서를 좋아해요", ["독서를", "좋아해요"]),
        ("किताबें पढ़ना", ["किताबें", "पढ़ना"]),
        ("a👩‍👩‍👧b👍🏽", ["a", "👩‍👩‍👧", "b", "👍🏽"]),
        ("snake_case ... 'quoted'", ["snake_case", ".", ".", ".", "'", "quoted", "'"]),
    ],
)
def test_sentences_split_as_they_are_read(sentence: str, expected: list[str]) -> None:
    assert words(sentence) == expected


@given(st.text(st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Z")), min_size=1, max_size=60))
def test_no_character_is_lost_but_spaces(sentence: str) -> None:
    kept = "".join(sentence.split()).replace("\u200d", "")
    if kept:
        assert "".join(words(sentence)).replace("\u200d", "") == kept


@pytest.mark.parametrize("sentence", ["", " \n\t"])
def test_a_sentence_without_words_is_refused(sentence: str) -> None:
    with pytest.raises(UsageError, match="at least one word"):
        words(sentence)


def test_a_sentence_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match=f"at most {MOST} tokens: found {MOST + 1}"):
        words("word " * (MOST + 1))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UsageError, match="no UTF-8"):
        words("a \udcff b")
