from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from heedful.data.words import places_in, words_in


def test_scripts_without_spaces_are_read_character_by_character() -> None:
    assert words_in("我喜欢这部电影。") == ["我", "喜", "欢", "这", "部", "电", "影", "。"]
    assert words_in("この映画はGood!") == ["こ", "の", "映", "画", "は", "Good", "!"]
    assert words_in("영화가 좋다") == ["영화가", "좋다"]  # Korean has spaces
    assert words_in("Müller's café") == ["Müller", "'", "s", "café"]


@given(st.text())
def test_words_hold_all_that_is_no_space(text: str) -> None:
    assert "".join(words_in(text)) == "".join(text.split())
    assert [text[first:last] for first, last in places_in(text)] == words_in(text)
