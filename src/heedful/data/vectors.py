"""Vectors of words, from how often they stand near each other in texts without classes.

Positive pointwise mutual information, factored (Levy & Goldberg 2014, NIPS, "Neural word embedding as implicit matrix factorization",
§5), with what Levy, Goldberg & Dagan 2015 (TACL 3) found to matter: near neighbours count more, the contexts' shares are smoothed by
the power 3/4, and the singular values enter by their root.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from heedful.data.words import words_in
from heedful.errors import DataError, MissingExtra

WINDOW: Final = 5  # words to either side; the nearest counts five times the farthest
LEAST: Final = 4  # times a word must occur
SMOOTH: Final = 0.75
NUMBER: Final = re.compile(r"\d+")
DIGITS: Final = "0"  # what every number is taken as


class Vectors(NamedTuple):
    """The words, the most frequent first, and a row for each; the rows' mean length is 1."""

    words: tuple[str, ...]
    rows: Float32[np.ndarray, "v d"]

    def places(self) -> dict[str, int]:
        """Where each word stands; look it up by `alike`, since every number has the row of numbers."""
        return {word: i for i, word in enumerate(self.words)}


def alike(word: str) -> str:
    """A word as it is counted: numbers are one word.

    >>> alike("1998"), alike("profit")
    ('0', 'profit')
    """
    return DIGITS if NUMBER.fullmatch(word) else word


def word_vectors(texts: Iterable[str], dim: int, words: int = 40_000) -> Vectors:
    """`dim` numbers for each of the `words` most frequent words of the texts.

    >>> found = word_vectors(["the cat sat on the mat", "the dog sat on the mat"] * 8, dim=3)
    >>> found.rows.shape[1], found.words[0]
    (3, 'the')

    Raises `DataError` for texts with fewer words than numbers are asked for, `MissingExtra` without scikit-learn.
    """
    try:
        from sklearn.utils.extmath import randomized_svd
    except ImportError:
        raise MissingExtra("scikit-learn", "text", "learning word vectors") from None
    rows = [[alike(word) for word in words_in(text)] for text in texts]
    counts = Counter(word for row in rows for word in row)
    kept = [word for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if count >= LEAST][:words]
    if len(kept) <= dim:
        raise DataError(f"{len(kept)} words occur {LEAST} times in the texts without classes: more than {dim} would make vectors of {dim}")
    number = {word: i for i, word in enumerate(kept)}
    ids = [number.get(word, -1) for row in rows for word in [*row, *[""] * WINDOW]]
    left, values, _ = randomized_svd(information(np.array(ids, dtype=np.int64), len(kept)), dim, n_iter=4, random_state=0)
    found = left * np.sqrt(values)
    return Vectors(tuple(kept), (found / np.linalg.norm(found, axis=1).mean()).astype(np.float32))


def information(ids: Int64[np.ndarray, " n"], size: int) -> object:
    """The positive pointwise mutual information of a word and those around it, (size, size), sparse; -1 is no word."""
    from scipy.sparse import coo_matrix, csr_matrix

    near = csr_matrix((size, size), dtype=np.float32)
    for apart in range(1, WINDOW + 1):
        first, second = ids[:-apart], ids[apart:]
        both = (first >= 0) & (second >= 0)
        weight = np.full(int(both.sum()), (WINDOW + 1 - apart) / WINDOW, dtype=np.float32)
        near = near + coo_matrix((weight, (first[both], second[both])), shape=(size, size)).tocsr()
    pairs = (near + near.T).tocoo()
    mine = np.bincount(pairs.row, pairs.data, size)
    around = mine**SMOOTH / (mine**SMOOTH).sum()
    told = np.log(pairs.data / (mine[pairs.row] * around[pairs.col]))
    above = told > 0
    return csr_matrix((told[above].astype(np.float32), (pairs.row[above], pairs.col[above])), shape=(size, size))
