"""Words out of tokens, of scripts with spaces and without; alignments of them; pictures in fonts that have their letters."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from heedful.data.pairs.pairs import Pairs
from heedful.data.pairs.rows import encoded, pair_rows
from heedful.data.tokens import train_tokenizer
from heedful.tasks.translate.picture import draw
from heedful.tasks.translate.units import between, units

SENTENCES = {
    "一只棕色的狗在草地上奔跑。": ["一", "只", "棕", "色", "的", "狗", "在", "草", "地", "上", "奔", "跑", "。"],
    "茶色い犬が草の上を走っています。": list("茶色い犬が草の上を走っています。"),
    "Ein Hund läuft schnell.": ["Ein", "Hund", "läuft", "schnell", "."],
    "二〇〇七年、Tokyoで開催": ["二", "〇", "〇", "七", "年", "、", "Tokyo", "で", "開", "催"],
    "it's 3.5 — naïve?": ["it", "'", "s", "3", ".", "5", "—", "naïve", "?"],
}


@pytest.mark.parametrize("kind", ["char", "byte", "bpe"])
@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_character_stands_in_one_word_and_none_is_cut(kind: str, sentence: str) -> None:
    texts = "\n".join(f" {text}" for text in SENTENCES)
    tokenizer = train_tokenizer(kind, [texts * 3], 420)
    ids = encoded(tokenizer, sentence).tolist()
    found = units(tokenizer, ids)
    assert [place for unit in found for place in unit.places] == list(range(len(ids)))
    assert "".join(unit.text for unit in found) == "".join(sentence.split())
    assert "\N{REPLACEMENT CHARACTER}" not in "".join(unit.text for unit in found)
    if kind == "char":
        assert [unit.text for unit in found] == SENTENCES[sentence]


def test_the_mark_is_a_word_of_its_own() -> None:
    tokenizer = train_tokenizer("char", [" ab"])
    assert [unit.text for unit in units(tokenizer, [1, 2, 3])] == ["ab", "■"]


def test_an_alignment_keeps_its_weight() -> None:
    """Sums over what is read and means over what reads: every word's row still sums to one."""
    tokenizer = train_tokenizer("char", [" 犬abc"])
    one, other = (units(tokenizer, encoded(tokenizer, text).tolist()) for text in ("ab c", "犬 a"))
    tokens = [len([place for unit in side for place in unit.places]) for side in (one, other)]
    weights = torch.rand(tokens[1], tokens[0], dtype=torch.float64).softmax(-1)
    found = between(weights, other, one)
    assert found.shape == (len(other), len(one))
    torch.testing.assert_close(found.sum(-1), torch.ones(len(other), dtype=torch.float64))


def test_texts_without_spaces_are_learnt_and_end_with_their_lengths() -> None:
    """Chinese and Japanese captions beside German ones: as many tokens as characters at most, and back to the same text."""
    pairs = Pairs(tuple(list(SENTENCES)[:2]), ("Ein brauner Hund läuft im Gras.",) * 2)
    tokenizer = train_tokenizer("bpe", ["\n".join(f" {text}" for text in (*pairs.sources, *pairs.targets)) * 20], 600)
    rows = pair_rows(pairs, tokenizer, context=64)
    assert rows.cut == 0
    for text in pairs.sources:
        ids = encoded(tokenizer, text).tolist()
        assert len(ids) <= len(text) + 1
        assert tokenizer.decode(ids).strip() == text


def test_pictures_of_all_scripts_are_drawn_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    sources, targets = SENTENCES["一只棕色的狗在草地上奔跑。"], ["Ein", "$5", "_", "■"]
    path = draw(torch.rand(len(targets), len(sources)), targets, sources, tmp_path / "map.png")
    assert path.read_bytes().startswith(b"\x89PNG")
