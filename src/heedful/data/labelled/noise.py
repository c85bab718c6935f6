"""Texts as people mistype them: a share of the words spoilt, the same ones for the same seed.

The kinds of Belinkov & Bisk 2018 (arXiv 1711.02173) that need no table of real mistakes, and letters of other scripts that look the same
(Eger et al. 2019, arXiv 1903.11508).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from heedful.data.labelled.texts import Texts
from heedful.data.words import places_in
from heedful.errors import unknown

KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEAR: Final = {
    key: "".join(other for j, line in enumerate(KEYS) for k, other in enumerate(line) if other != key and abs(j - i) + abs(k - place) == 1)
    for i, row in enumerate(KEYS)
    for place, key in enumerate(row)
}
ALIKE: Final = dict(zip("aceijopsxyABCEHIKMOPSTXY", "асеіјорѕхуАВСЕНІКМОРЅТХУ", strict=True))  # Latin, and Cyrillic that looks like it


def typo(word: str, draw: random.Random) -> str:
    """A letter taken for its neighbour on the keyboard; of a script without a row of keys, doubled."""
    place = draw.randrange(len(word))
    near = NEAR.get(word[place].lower())
    key = draw.choice(near) if near else word[place] * 2
    return word[:place] + (key.upper() if near and word[place].isupper() else key) + word[place + 1 :]


def drop(word: str, draw: random.Random) -> str:
    """A letter left out; a word of one letter is left out whole."""
    place = draw.randrange(len(word))
    return word[:place] + word[place + 1 :]


def swap(word: str, draw: random.Random) -> str:
    """Two letters that change places; a word of one letter stays."""
    if len(word) < 2:
        return word
    place = draw.randrange(len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def homoglyph(word: str, draw: random.Random) -> str:
    """Letters of another script that look the same, wherever there are such."""
    return "".join(ALIKE.get(letter, letter) for letter in word)


NOISES: Final[dict[str, Callable[[str, random.Random], str]]] = {"typos": typo, "drop": drop, "swap": swap, "homoglyph": homoglyph}


def noised(texts: Texts, noise: str, rate: float, seed: int = 0) -> Texts:
    """The texts with a share `rate` of their words spoilt.

    >>> noised(Texts(("fine day",), ("+",)), "swap", 1.0).texts
    ('fien ady',)

    Errors: `UsageError` for a noise that is not in the table.
    """
    if noise not in NOISES:
        raise unknown("noise", noise, NOISES)
    return Texts(tuple(spoilt(text, noise, rate, random.Random(f"{seed} {i}")) for i, text in enumerate(texts.texts)), texts.labels)


def spoilt(text: str, noise: str, rate: float, draw: random.Random) -> str:
    """One text, its words spoilt each with the chance `rate`; what stands between them stays."""
    change, out, end = NOISES[noise], [], 0
    for first, last in places_in(text):
        word = text[first:last]
        hit = draw.random() < rate and word[0].isalnum()
        out += [text[end:first], change(word, draw) if hit else word]
        end = last
    return "".join([*out, text[end:]])
