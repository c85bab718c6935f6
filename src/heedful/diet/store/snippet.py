"""A piece of a text around the words that were looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from heedful.diet.store.words import JOINED, Query, fold

WIDTH: Final = 180  # characters shown
LEAD: Final = 50  # of these before the first word found
READ: Final = 60_000  # characters looked through

Span = tuple[int, int]


class Cut(NamedTuple):
    """A piece and the places in it of what was looked for."""

    text: str
    spans: tuple[Span, ...]


def snippet(text: str, asked: Query, width: int = WIDTH) -> Cut:
    """The first piece of the text with a word that was looked for, or its beginning.

    >>> from heedful.diet.store.words import query
    >>> snippet("The Café of my dreams", query("cafe dreams"))
    Cut(text='The Café of my dreams', spans=((4, 8), (15, 21)))
    """
    flat = " ".join(text[:READ].split())
    found = sorted(set(places(flat, asked)))
    start = max(found[0][0] - LEAD, 0) if found and found[0][1] > width else 0
    if start and " " in flat[start : start + LEAD // 2]:
        start = flat.index(" ", start) + 1
    piece = flat[start : start + width]
    front, back = "… " if start else "", " …" if start + width < len(flat) else ""
    spans = [(a - start + len(front), min(b, start + width) - start + len(front)) for a, b in found if start <= a < start + width]
    return Cut(front + piece + back, tuple(spans))


def places(text: str, asked: Query) -> Iterator[Span]:
    """Where the terms stand in a text as it is written."""
    folded, origin = traced(text)
    for term in asked.every:
        side = r"[\W_]+".join(re.escape(word) for word in term.words)
        pattern = re.escape(term.text) if term.joined else f"(?<![^\\W_{JOINED}]){side}(?![^\\W_{JOINED}])"
        for match in re.finditer(pattern, folded):
            a, b = match.span()
            yield (a, b) if origin is None else (origin[a], origin[b - 1] + 1)


def traced(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and for each of its letters the place it came from (None: the same place)."""
    folded = fold(text)
    if len(folded) == len(text):
        return folded, None
    letters = [letter_fold(letter) for letter in text]
    return "".join(letters), [i for i, letter in enumerate(letters) for _ in letter]


@lru_cache(4096)
def letter_fold(letter: str) -> str:
    """One letter folded."""
    return fold(letter)
