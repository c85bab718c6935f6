"""The sentences of a text, and where each stands in it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# A sign that ends a sentence, with quotes and brackets that close it, before white space; of scripts without spaces the sign alone.
END: Final = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|[。！？]+[」』”’）]*|\n+""")
SHORT: Final = re.compile(r"(?:^|\s)(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Sen|Rep|Gov|Gen|Lt|Col|No|vs|U\.S|[A-Z]\.[A-Z]|Jan|Feb|Aug|Sept|Oct|Nov|Dec)$")


class Sentence(NamedTuple):
    """A sentence, and its first and one past its last character in the whole text."""

    text: str
    start: int
    end: int


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text, none of them empty.

    >>> [sentence.text for sentence in sentences('Mr. Hall left. "Why?" she asked.')]
    ['Mr. Hall left.', '"Why?" she asked.']
    >>> [(sentence.start, sentence.end) for sentence in sentences("犬が走る。猫は寝る。")]
    [(0, 5), (5, 10)]
    """
    found: list[Sentence] = []
    start = 0
    for match in END.finditer(text):
        if goes_on(text, start, match):
            continue
        found += trimmed(text, start, match.end())
        start = match.end()
    return [*found, *trimmed(text, start, len(text))]


def goes_on(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether a sign ends no sentence: a shortened word before it, or a small letter after it."""
    if match.group().isspace() or match.group()[0] in "。！？":
        return False
    rest = text[match.end() :].lstrip()
    return bool(SHORT.search(text[start : match.start()])) or rest[:1].islower()


def trimmed(text: str, start: int, end: int) -> list[Sentence]:
    """What stands between two places without the white space around it; nothing if that is all."""
    piece = text[start:end]
    whole = piece.strip()
    first = start + len(piece) - len(piece.lstrip())
    return [Sentence(whole, first, first + len(whole))] if whole else []
