"""The same story told again: near-duplicates by MinHash (Broder 1997), candidates by bands (Leskovec, Rajaraman & Ullman 2020, ch. 3.4)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int

from heedful.diet.intake.minutes import DENSE

HASHES: Final = 64
BANDS: Final = 16  # of four hashes: a pair of similarity .5 is a candidate with probability .64, of .7 with .99
ALIKE: Final = 0.5  # share of common shingles from which two texts tell one story
PRIME: Final = (1 << 61) - 1
RUN: Final = 3  # words of a shingle; two characters where words are not parted
PIECE: Final = re.compile(DENSE.pattern + r"|[^\W_]+")


def shingles(text: str) -> set[int]:
    """Hashes of the runs of three words of a text, of two characters of Chinese and Japanese.

    >>> len(shingles("the quick brown fox")), len(shingles("我爱读书"))
    (2, 3)
    """
    pieces = PIECE.findall(text.lower())
    dense = sum(bool(DENSE.match(piece)) for piece in pieces) * 2 > len(pieces)
    run = 2 if dense else RUN
    grams = {" ".join(pieces[i : i + run]) for i in range(max(len(pieces) - run + 1, 1))} if pieces else set()
    return {zlib.crc32(gram.encode()) for gram in grams}


def signature(grams: set[int], seed: int = 0) -> Int[np.ndarray, " h"]:
    """(64,) the smallest hash of the shingles under each of 64 permutations; equal places estimate the share in common."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(1, 1 << 31, HASHES, dtype=np.uint64), rng.integers(0, 1 << 31, HASHES, dtype=np.uint64)
    if not grams:
        return np.zeros(HASHES, np.uint64)
    values = np.fromiter(grams, np.uint64, len(grams))
    found: Int[np.ndarray, " h"] = ((a[:, None] * values + b[:, None]) % np.uint64(PRIME)).min(1)
    return found


def stories(texts: Sequence[str]) -> list[int]:
    """The story of each text, by the place of the first text that tells it.

    >>> told = "The council voted on Monday to close the old bridge over the river for repairs until the spring"
    >>> stories([told, "Something else entirely happened far away from here", told + ", it said"])
    [0, 1, 0]
    """
    grams = [shingles(text) for text in texts]
    rows = np.stack([signature(found) for found in grams]) if texts else np.zeros((0, HASHES), np.uint64)
    first = list(range(len(texts)))

    def root(i: int) -> int:
        while first[i] != i:
            first[i] = first[first[i]]
            i = first[i]
        return i

    for band in np.split(rows, BANDS, axis=1):
        seen: dict[bytes, list[int]] = {}
        for i, key in enumerate(band):
            if not grams[i]:
                continue
            mates = seen.setdefault(key.tobytes(), [])
            for j in mates:
                one, other = sorted((root(i), root(j)))
                if one != other and alike(grams[i], grams[j]):
                    first[other] = one
            mates.append(i)
    return [root(i) for i in range(len(texts))]


def alike(one: set[int], other: set[int]) -> bool:
    """Whether two sets of shingles have at least half of their union in common."""
    return len(one & other) >= ALIKE * len(one | other)
