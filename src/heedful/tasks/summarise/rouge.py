"""ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004): shared words, pairs of words, and the longest shared subsequence, as F1.

Words are runs of letters and digits in small letters, as in Google's rouge-score without stemming; of scripts without spaces each
character is one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from heedful.data.pairs.scripts import spaceless

WORD: Final = re.compile(r"[^\W_]+")


class Rouge(NamedTuple):
    """Mean F1 over texts, 0 to 1."""

    rouge1: float
    rouge2: float
    rouge_l: float


def rouge(found: Sequence[str], wanted: Sequence[str]) -> Rouge:
    """The mean F1 of texts against a reference each.

    >>> rouge(["the cat sat"], ["the cat ate"])
    Rouge(rouge1=0.6666666666666666, rouge2=0.5, rouge_l=0.6666666666666666)
    """
    each = [one(words(a), words(b)) for a, b in zip(found, wanted, strict=True)]
    return Rouge(*(sum(column) / len(column) for column in zip(*each, strict=True)))


def words(text: str) -> list[str]:
    """The words of a text.

    >>> words("The cat's 犬")
    ['the', 'cat', 's', '犬']
    """
    apart = "".join(f" {letter} " if spaceless(letter) else letter for letter in text.lower())
    return WORD.findall(apart)


def one(found: Sequence[str], wanted: Sequence[str]) -> Rouge:
    """The F1s of one text."""
    shared = longest(found, wanted)
    return Rouge(grams(found, wanted, 1), grams(found, wanted, 2), f1(shared, len(found), len(wanted)))


def grams(found: Sequence[str], wanted: Sequence[str], n: int) -> float:
    """The F1 of the runs of n words."""
    ours, theirs = (Counter(tuple(side[i : i + n]) for i in range(len(side) - n + 1)) for side in (found, wanted))
    return f1(sum((ours & theirs).values()), sum(ours.values()), sum(theirs.values()))


def longest(found: Sequence[str], wanted: Sequence[str]) -> int:
    """The length of the longest common subsequence.

    >>> longest("abcde", "axcxe")
    3
    """
    row = [0] * (len(wanted) + 1)
    for word in found:
        before = 0
        for i, other in enumerate(wanted, start=1):
            before, row[i] = row[i], before + 1 if word == other else max(row[i], row[i - 1])
    return row[-1]


def f1(shared: int, ours: int, theirs: int) -> float:
    """The harmonic mean of precision and recall."""
    return 0.0 if not shared else 2 * shared / (ours + theirs)
