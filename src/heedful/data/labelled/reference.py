"""Paragraphs of the Python language reference by the topic they stand under: labelled text on every machine."""

from __future__ import annotations

import re
import sys
from typing import Final

from heedful.data.labelled.named import folded
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.errors import DataError

TOPICS: Final = 6
SHORTEST: Final = 60  # characters of a paragraph that is kept


def reference_topics() -> LabelledCorpus:
    """The paragraphs of the topics that have most of them, each once; every tenth of each topic to test.

    >>> corpus = reference_topics()
    >>> len(corpus.labels), len(corpus.part("train")) > 300
    (6, True)
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError("python-reference: this Python was built without pydoc_data; a table of texts as --data would work") from None
    found = {name: paragraphs(topics[name]) for name in sorted(topics)}
    largest = sorted(found, key=lambda name: (-len(found[name]), name))[:TOPICS]
    named: dict[str, str] = {}
    for name in largest:
        for text in found[name]:
            named.setdefault(text, name)  # a topic may stand in another one
    parts, split = folded(Texts(tuple(named), tuple(named.values())))
    version = ".".join(map(str, sys.version_info[:3]))
    return LabelledCorpus("python-reference", {"validation": Texts(), **parts}, f"Python {version}, {split}")


def paragraphs(topic: str) -> list[str]:
    """Its paragraphs, each in one line."""
    lines = (" ".join(part.split()) for part in re.split(r"\n\s*\n", topic))
    return [line for line in lines if len(line) >= SHORTEST]
