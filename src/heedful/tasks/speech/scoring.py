"""How far texts are from what was said: the fewest words to change, to leave out and to put in (Levenshtein 1966)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Errors(NamedTuple):
    """Words that were said, and those that were heard wrong, missed, and heard where nothing was said; texts, and those that are right."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    texts: int = 0
    right: int = 0

    @property
    def rate(self) -> float:
        """Errors a word that was said; more than one where much was heard that was not said."""
        wrong = self.substitutions + self.deletions + self.insertions
        return wrong / self.words if self.words else float(wrong > 0)

    @property
    def exact(self) -> float:
        """The share of texts without an error."""
        return self.right / self.texts if self.texts else 0.0


def errors(heard: Sequence[str], said: Sequence[str]) -> Errors:
    """The fewest errors that turn what was said into what was heard; of equal ways the one with most substitutions.

    >>> errors("one too four".split(), "one two three four".split())
    Errors(words=4, substitutions=1, deletions=1, insertions=0, texts=1, right=0)
    """
    # Cells hold (errors, insertions, deletions): the least is also the one with the fewest of these two.
    row = [(j, j, 0) for j in range(len(heard) + 1)]
    for i, word in enumerate(said, start=1):
        before, row = row, [(i, 0, i)]
        for j, other in enumerate(heard, start=1):
            wrong, put, left = before[j - 1]
            ways = [(wrong + (word != other), put, left)]
            ways.append((before[j][0] + 1, before[j][1], before[j][2] + 1))
            ways.append((row[j - 1][0] + 1, row[j - 1][1] + 1, row[j - 1][2]))
            row.append(min(ways))
    wrong, put, left = row[-1]
    return Errors(len(said), wrong - put - left, left, put, 1, int(not wrong))


def total(each: Iterable[Errors]) -> Errors:
    """All together."""
    return Errors(*(sum(column) for column in zip(*each, strict=True))) if (each := list(each)) else Errors()


def scored(heard: Sequence[str], said: Sequence[str]) -> list[Errors]:
    """The errors of each text, its words as they stand between spaces."""
    return [errors(one.split(), other.split()) for one, other in zip(heard, said, strict=True)]
