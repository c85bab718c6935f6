"""Texts as hashed tf-idf vectors of length 1: words, and pairs of characters where words are not parted (Salton & Buckley 1988)."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from heedful.diet.intake.minutes import DENSE
from heedful.errors import MissingExtra

BUCKETS: Final = 1 << 16
WORD: Final = re.compile(DENSE.pattern + r"+|[^\W_]{2,}")
MOST: Final = 120  # words of a text that are looked at


@lru_cache(maxsize=1 << 17)
def bucket(word: str) -> int:
    """The column of a word."""
    return zlib.crc32(word.encode()) % BUCKETS


def words(text: str) -> list[str]:
    """The words of a text, in lower case; overlapping pairs of characters of Chinese and Japanese.

    >>> words("The Bridge of 1890 爱读书")
    ['the', 'bridge', 'of', '1890', '爱读', '读书']
    """
    found: list[str] = []
    for piece in WORD.findall(text.lower()):
        if DENSE.match(piece):
            found.extend(piece[i : i + 2] for i in range(max(len(piece) - 1, 1)))
        else:
            found.append(piece)
    return found[:MOST]


def tfidf(texts: Sequence[str]) -> Any:
    """(n, 65,536) rows of length 1, sparse; what stands in every text counts little.

    >>> rows = tfidf(["the old bridge", "the new bridge", "the cat"])
    >>> like = (rows @ rows.T).toarray()
    >>> bool(like[0, 1] > like[0, 2] > 0)
    True
    """
    try:
        from scipy.sparse import csr_matrix
    except ImportError:
        raise MissingExtra("scipy", "diet", "comparing what items are about") from None
    bags = [Counter(map(bucket, words(text))) for text in texts]
    columns = np.fromiter((column for bag in bags for column in bag), np.int64)
    counts = np.fromiter((count for bag in bags for count in bag.values()), np.float64)
    weights = (1 + np.log(counts)) * rarity(bags)[columns]
    ends = np.cumsum([0, *(len(bag) for bag in bags)])
    squares = np.add.reduceat(np.append(weights**2, 0.0), np.minimum(ends[:-1], len(weights))) if len(bags) else np.zeros(0)
    lengths = np.repeat(np.sqrt(squares), np.diff(ends))
    return csr_matrix((weights / np.maximum(lengths, 1e-12), columns, ends), shape=(len(bags), BUCKETS))


def rarity(bags: Sequence[Iterable[int]]) -> Any:
    """(65,536,) the logarithm of how few texts have each word, above 0."""
    seen = Counter(column for bag in bags for column in bag)
    found = np.zeros(BUCKETS)
    for column, count in seen.items():
        found[column] = np.log((1 + len(bags)) / (1 + count)) + 0.1
    return found
