"""ROUGE against Google's rouge-score, sentences against text that is cut by hand, citations against the text they are of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.data.tokens import train_tokenizer
from heedful.tasks.summarise.picked import places, shared
from heedful.tasks.summarise.rouge import longest, rouge, words
from heedful.tasks.summarise.sentences import sentences

TEXTS = [
    ("Police said two men were arrested.", "Two men arrested, police say"),
    ("the the the cat", "the cat the cat sat"),
    ("U.S. jobs up 3.5% in May", "US job growth of 3.5 % reported"),
    ("", "anything"),
]


def test_rouge_is_that_of_googles_package() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rouge1", "rouge2", "rougeL"])
    for found, wanted in TEXTS:
        theirs = scorer.score(wanted, found)
        assert rouge([found], [wanted]) == pytest.approx([theirs[name].fmeasure for name in ("rouge1", "rouge2", "rougeL")], abs=1e-12)


def test_the_mean_is_over_texts_and_scripts_without_spaces_count_characters() -> None:
    assert rouge(["a b", "c"], ["a b", "d"]).rouge1 == 0.5
    assert words("犬が走る") == ["犬", "が", "走", "る"]
    assert rouge(["犬が走る"], ["犬は走る"]).rouge_l == 0.75


@given(st.text("abc", max_size=9), st.text("abc", max_size=9))
def test_the_longest_common_subsequence_is_that_of_the_definition(one: str, other: str) -> None:
    def slow(i: int, j: int) -> int:
        if not i or not j:
            return 0
        return slow(i - 1, j - 1) + 1 if one[i - 1] == other[j - 1] else max(slow(i - 1, j), slow(i, j - 1))

    if len(one) + len(other) < 13:
        assert longest(one, other) == slow(len(one), len(other))


def test_sentences_stand_where_they_say() -> None:
    text = ' Mr. Hall of the U.S. team left.  "Why now?" she asked.\nNobody knew... but he did! 3.5 points. 犬が走る。猫は「寝る。」'
    found = sentences(text)
    assert [sentence.text for sentence in found] == [
        "Mr. Hall of the U.S. team left.",
        '"Why now?" she asked.',
        "Nobody knew... but he did!",
        "3.5 points.",
        "犬が走る。",
        "猫は「寝る。」",
    ]
    assert all(text[start:end] == whole for whole, start, end in found)
    assert sentences(" \n ") == []


@pytest.mark.parametrize("kind", ["char", "bpe", "byte"])
def test_weights_fall_on_the_sentence_that_holds_their_token(kind: str) -> None:
    text = "  Ein Hünd läuft. 犬が走る。 The end."
    tokenizer = train_tokenizer(kind, [f" {text.strip()}\n" * 3], 300)
    ids = tokenizer.encode(f" {text.strip()}").tolist()
    where = places(tokenizer, ids, text)
    assert where == sorted(where)
    assert where[-1] == len(text) - 1
    weights = torch.tensor([1.0 if text[place] in "犬が走る。" else 0.0 for place in where])
    found = shared(weights / weights.sum(), tokenizer, ids, text)
    assert [round(each.share, 5) for each in found] == [0.0, 1.0, 0.0]
