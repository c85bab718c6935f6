"""BM25 over words, and over pairs of characters where a script has no spaces.

Robertson & Zaragoza 2009, Foundations and Trends in Information Retrieval 3(4), eq. 3.15.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from heedful.data.tokens.grams import folded_words


@final
class BM25:
    """How well texts meet a question, by how often its words stand there, how rare these are, and how long the texts.

    >>> found = BM25(["lost my card", "forgot my pin", "卡片遺失了", "忘記密碼"])
    >>> int(found.scores("my pin?").argmax()), int(found.scores("遺失卡片").argmax())
    (1, 2)

    Arguments:
        k1: how soon a word's count saturates.
        b: how much a text's length counts, 0 to 1.
    """

    def __init__(self, texts: Sequence[str], k1: float = 1.5, b: float = 0.75) -> None:
        counted = [Counter(terms(text)) for text in texts]
        lengths = np.array([sum(counts.values()) for counts in counted], dtype=np.float64)
        mean = max(float(lengths.mean()), 1.0) if len(lengths) else 1.0
        found: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        for place, counts in enumerate(counted):
            for term, count in counts.items():
                found[term][0].append(place)
                found[term][1].append(count)
        self.size = len(texts)
        self.postings: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
        for term, (places, times) in found.items():
            often, where = np.array(times, dtype=np.float64), np.array(places)
            rarity = math.log(1.0 + (self.size - len(places) + 0.5) / (len(places) + 0.5))
            self.postings[term] = where, rarity * often * (k1 + 1.0) / (often + k1 * (1.0 - b + b * lengths[where] / mean))

    def scores(self, question: str) -> Float[np.ndarray, " n"]:
        """The score of every text; 0 where no word is shared."""
        total = np.zeros(self.size)
        for term in terms(question):
            if term in self.postings:
                places, values = self.postings[term]
                total[places] += values
        return total


def terms(text: str) -> list[str]:
    """The words of a text; of neighbouring characters of a script without spaces the pairs too.

    >>> terms("Pin 密碼?")
    ['pin', '密', '碼', '密碼']
    """
    words = [word for word in folded_words(text) if word[0].isalnum()]
    letters = [len(word) == 1 and ord(word) > 0x2E7F for word in words]
    pairs = [words[i] + words[i + 1] for i in range(len(words) - 1) if letters[i] and letters[i + 1]]
    return words + pairs
