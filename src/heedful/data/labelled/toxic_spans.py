"""Sentences in which readers marked what is toxic, letter by letter, and sentences of the same posts in which they marked nothing.

Pavlopoulos et al. 2021 (SemEval task 5), 2022 (ACL). The posts name spans as lists of character offsets; a sentence ends at `.`, `!`, `?`
or a line's end. Posts stay whole: all sentences of one are in the same part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from heedful.data.labelled.tables import read_rows
from heedful.data.labelled.texts import Texts

FILES: Final = {"train": "tsd_train.csv", "validation": "tsd_trial.csv", "test": "tsd_test.csv"}
LABELS: Final = ("neutral", "toxic")
SENTENCE: Final = re.compile(r"[^.!?\n]+[.!?]*")
RATIONALES: Final = "toxic-spans"  # the name of the set
LETTERS: Final = 8  # letters that a sentence has at least


@dataclass(frozen=True, slots=True)
class Marked:
    """A sentence, and the offsets of its characters that were marked; none where it is neutral."""

    text: str
    marks: frozenset[int]

    @property
    def label(self) -> str:
        """Its class."""
        return LABELS[bool(self.marks)]


def toxic_spans(home: Path) -> tuple[dict[str, Texts], str]:
    """The sentences of each part by their class."""
    parts = {}
    for part in FILES:
        found = marked(home, part)
        parts[part] = Texts(tuple(each.text for each in found), tuple(each.label for each in found))
    return parts, "the posts' own training, trial and test parts, sentence by sentence"


def marks_by_text(home: Path) -> dict[str, frozenset[int]]:
    """What was marked in each sentence of all parts, by the sentence in small letters."""
    return {each.text.lower(): each.marks for part in FILES for each in marked(home, part) if len(each.text.lower()) == len(each.text)}


def marked(home: Path, part: str) -> list[Marked]:
    """The sentences of one part with what was marked in them."""
    rows = read_rows(home / FILES[part], "utf-8")
    return [sentence for row in rows for sentence in sentences(str(row["text"]), frozenset(json.loads(str(row["spans"]))))]


def sentences(text: str, spans: frozenset[int]) -> Iterator[Marked]:
    """A post cut into sentences; a single bare word is none.

    >>> [(each.text, sorted(each.marks)) for each in sentences("You are dumb. I like it here", frozenset(range(8, 12)))]
    [('You are dumb.', [8, 9, 10, 11]), ('I like it here', [])]
    """
    for found in SENTENCE.finditer(text):
        body = found.group().strip()
        if len(body) < LETTERS or not any(letter.isalpha() for letter in body):
            continue
        first = found.start() + found.group().index(body[0])
        yield Marked(body, frozenset(at - first for at in spans if first <= at < first + len(body)))
