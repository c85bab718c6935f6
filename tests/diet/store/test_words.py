"""A text is found by any of its words, in every script, and by nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.store.rows import Item, Source
from heedful.diet.store.snippet import snippet
from heedful.diet.store.store import Store, open_store
from heedful.diet.store.words import fold, indexed, query
from heedful.errors import UsageError

HAN = "读书会天气新闻"
LATIN = st.text("abéZñ9", min_size=1, max_size=4)
JOINED = st.text(HAN + "のカ", min_size=1, max_size=5)
CHUNKS = st.lists(st.one_of(LATIN, JOINED, st.sampled_from([" ", ", ", "。", '"', " -", "_", "*", ":", "'"])), min_size=1, max_size=8)


def kept(texts: list[str]) -> Store:
    store = open_store(":memory:")
    source = store.add_source(Source(address="https://a.example/feed"))
    store.add_items([Item(source=source.id, address=str(i), text=text) for i, text in enumerate(texts)])
    return store


def found(store: Store, text: str) -> set[int]:
    return {hit.item.id - 1 for hit in store.search(text, limit=100)}


def words(text: str) -> tuple[set[str], list[str]]:
    """The parted words and the joined runs of a text, by rules of this test's own."""
    plain = text.lower().replace("é", "e").replace("ñ", "n")
    joined = f"[{HAN}のカ]+"
    return set(re.findall("[a-z0-9]+", re.sub(joined, " ", plain))), re.findall(joined, plain)


@given(st.lists(CHUNKS.map("".join), min_size=1, max_size=5))
@settings(deadline=None, max_examples=30)
def test_a_text_is_found_by_any_of_its_words_and_no_other_is(texts: list[str]) -> None:
    with kept(texts) as store:
        parted = set().union(*(words(text)[0] for text in texts))
        for word in parted:
            assert found(store, word) == {i for i, text in enumerate(texts) if word in words(text)[0]}
        pieces = {run[a : a + n] for text in texts for run in words(text)[1] for n in (1, 2, 3) for a in range(len(run) - n + 1)}
        for piece in pieces:
            assert found(store, piece) == {i for i, text in enumerate(texts) if any(piece in run for run in words(text)[1])}


@given(st.lists(st.tuples(st.integers(0, 4), CHUNKS.map("".join)), max_size=12))
@settings(deadline=None, max_examples=25)
def test_the_index_follows_every_change(changes: list[tuple[int, str]]) -> None:
    with kept([]) as store:
        texts: dict[int, str] = {}
        for number, text in changes:
            store.add_items([Item(source=1, address=str(number), title=text)])
            texts[number] = text
        for text in texts.values():
            for word in words(text)[0]:
                hits = {int(hit.item.address) for hit in store.search(word, limit=100)}
                assert hits == {number for number, other in texts.items() if word in words(other)[0]}


@pytest.fixture(scope="module")
def one() -> Iterator[Store]:
    with kept(["some text"]) as store:
        yield store


@given(text=st.text(max_size=40))
@settings(deadline=None, max_examples=100)
def test_no_query_is_an_error_but_an_empty_one(one: Store, text: str) -> None:
    if not indexed(text.replace("-", " ")):
        with pytest.raises(UsageError, match="nothing to search for"):
            query(text)
    elif indexed(re.sub(r'(^|[\s"])-\S*', " ", text)):
        one.search(text)
        snippet(text, query(text))


@given(st.text(max_size=60))
@settings(deadline=None)
def test_folding_twice_is_folding_once_and_words_are_folded(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert indexed(fold(text)) == indexed(text)


@pytest.mark.parametrize(
    ("text", "finds", "not_"),
    [
        ("国家公园今天宣布重新开放。", ["公园", "家公", "今天宣布", "园", "。开放"], ["公国", "园家", "放开"]),
        ("독서를 좋아합니다", ["독서", "좋아"], ["서독"]),
        ("อ่านหนังสือ", ["หนังสือ"], ["นังห"]),
        ("ｶﾀｶﾅ ｱﾙﾌｧ", ["カタカナ", "アル"], ["ナカ"]),
        ("हिन्दी में", ["हिन्दी"], ["हन"]),
        ("Straße, Éclair & naïve", ["strasse", "ECLAIR", "naive", '"eclair naive"'], ["clair", '"naive eclair"']),
        ("state-of-the-art C++ 3.14", ["state-of-the-art", "art", "3.14", "c"], ["art-state", "31"]),
        ("кофе и чай", ["КОФЕ", "чай"], ["ча"]),
        ("مُحَمَّد", ["محمد"], ["حمد"]),
    ],
)
def test_scripts(text: str, finds: list[str], not_: list[str]) -> None:
    with kept([text, "something else entirely"]) as store:
        for word in finds:
            assert found(store, word) == {0}, word
        for word in not_:
            assert found(store, word) == set(), word


def test_all_words_must_be_there_and_none_of_those_left_out() -> None:
    with kept(["red fox", "red dog", "fox and hound, red", "读书 fox"]) as store:
        assert found(store, "red fox") == {0, 2}
        assert found(store, '"red fox"') == {0}
        assert found(store, "fox -hound -读书") == {0}
        assert found(store, "fox AND red") == {2}  # a word like any other


def test_the_best_come_first_and_pages_follow_each_other() -> None:
    store = open_store(":memory:")
    source = store.add_source(Source(address="https://a.example/feed"))
    store.add_items([Item(source=source.id, address=str(i), title="other", text="filler " * 50 + "heron") for i in range(5)])
    store.add_items([Item(source=source.id, address="t", title="The heron", text="filler " * 50)])
    pages = [[hit.item.id for hit in store.search("heron", limit=2, offset=offset)] for offset in (0, 2, 4)]
    assert pages == [[6, 5], [4, 3], [2, 1]]
    ranks = [hit.rank for hit in store.search("heron")]
    assert all(a >= b for a, b in pairwise(ranks))
    store.close()


@pytest.mark.parametrize(
    ("text", "asked", "marked"),
    [
        ("Éclairs are good", "eclairs", ["Éclairs"]),
        ("我们在公园读书,公园很大", "公园", ["公园", "公园"]),
        ("ﬁne Straße 读", "strasse 读", ["Straße", "读"]),
        ("the cat concatenates", "cat", ["cat"]),
        ("climate change, Climate\nchange", '"climate change"', ["climate change", "Climate change"]),
    ],
)
def test_a_snippet_marks_what_was_found(text: str, asked: str, marked: list[str]) -> None:
    cut = snippet(text, query(asked))
    assert [cut.text[a:b] for a, b in cut.spans] == marked


@given(st.text("ab 公园ß\n", max_size=400), st.sampled_from(["a", "公园", "ss", "b a"]))
@settings(deadline=None)
def test_a_snippet_is_short_and_its_marks_are_inside(text: str, asked: str) -> None:
    cut = snippet(text, query(asked), width=80)
    assert len(cut.text) <= 84
    assert all(0 <= a < b <= len(cut.text) for a, b in cut.spans)
