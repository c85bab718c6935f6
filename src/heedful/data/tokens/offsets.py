"""Where each token of a text stands in it, in characters."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.data.tokens.word import PART, Words, lines_of

Span = tuple[int, int]


def offsets(tokenizer: Tokenizer, text: str) -> list[Span]:
    """The first character of each token of `tokenizer.encode(text)`, and the one behind its last.

    >>> from heedful.data.tokens import train_tokenizer
    >>> offsets(train_tokenizer("word", ["so be it\\n"]), "be it,\\nso")
    [(0, 2), (3, 5), (5, 6), (6, 7), (7, 9)]
    """
    return of_words(tokenizer, text) if isinstance(tokenizer, Words) else of_bytes(tokenizer, text)


def of_words(tokenizer: Words, text: str) -> list[Span]:
    """Each word, and each line's end."""
    found: list[Span] = []
    at = 0
    for line in lines_of(text):
        if tokenizer.split == "space":
            place = 0
            for word in line.split():
                place = line.index(word, place)
                found.append((at + place, at + place + len(word)))
                place += len(word)
        else:
            found += [(at + match.start(), at + match.end()) for match in PART.finditer(line)]
        if line.endswith("\n"):
            found.append((at + len(line) - 1, at + len(line)))
        at += len(line)
    return found


def of_bytes(tokenizer: Tokenizer, text: str) -> list[Span]:
    """Tokens that together are the text's bytes; one that begins within a character stands at it."""
    starts = [0, *accumulate(len(letter.encode()) for letter in text)]
    ends = [0, *accumulate(len(tokenizer.pieces[i]) for i in tokenizer.encode(text).tolist())]
    places = [bisect_right(starts, end) - 1 for end in ends]
    return [(first, max(end, first + 1) if first < len(text) else first) for first, end in pairwise(places)]
