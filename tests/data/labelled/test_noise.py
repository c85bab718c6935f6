from __future__ import annotations

import pytest

from heedful.data.labelled.noise import ALIKE, NEAR, NOISES, noised
from heedful.data.labelled.texts import Texts
from heedful.data.words import words_in
from heedful.errors import UsageError

TEXTS = Texts(("The acting was truly wonderful, and nothing else mattered.",) * 50, ("+",) * 50)


@pytest.mark.parametrize("noise", NOISES)
def test_noise_is_the_same_for_the_same_seed_and_absent_at_rate_nought(noise: str) -> None:
    assert noised(TEXTS, noise, 0.0) == TEXTS
    once = noised(TEXTS, noise, 0.5)
    assert once == noised(TEXTS, noise, 0.5)
    assert once != noised(TEXTS, noise, 0.5, seed=1)
    assert len(set(once.texts)) > 1  # each text is spoilt in its own way
    assert once.labels == TEXTS.labels


@pytest.mark.parametrize("noise", ["typos", "swap", "homoglyph"])
def test_the_share_of_words_is_the_rate(noise: str) -> None:
    pairs = [
        pair
        for one, other in zip(TEXTS.texts, noised(TEXTS, noise, 0.3).texts, strict=True)
        for pair in zip(words_in(one), words_in(other), strict=True)
        if pair[0][0].isalnum()
    ]
    changed = sum(one != other for one, other in pairs)
    # Of 400 words 120 are drawn, with a standard deviation of 9.2; swapping "ll" would change nothing, and no word here begins so.
    assert 120 - 5 * 9.2 - (20 if noise == "swap" else 0) < changed < 120 + 5 * 9.2


def test_a_typo_is_a_neighbouring_key() -> None:
    assert set("fh") <= set(NEAR["g"])
    for one, other in zip(TEXTS.texts, noised(TEXTS, "typos", 1.0).texts, strict=True):
        for word, spoilt in zip(words_in(one), words_in(other), strict=True):
            strange = [(a, b) for a, b in zip(word.lower(), spoilt.lower(), strict=True) if a != b]
            assert len(strange) <= 1
            assert all(b in NEAR[a] for a, b in strange)


def test_homoglyphs_look_alike_and_are_others() -> None:
    assert all(ord(other) > 0x3FF for other in ALIKE.values())
    assert noised(Texts(("Ace",), ("+",)), "homoglyph", 1.0).texts[0] != "Ace"


def test_noise_reaches_scripts_without_spaces() -> None:
    chinese = Texts(("这部电影很好看" * 20,), ("+",))
    assert len(noised(chinese, "drop", 0.5).texts[0]) < len(chinese.texts[0])


def test_an_unknown_noise_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'typos'"):
        noised(TEXTS, "typo", 0.1)
