"""The Python language reference, as the standard library carries it: half a megabyte of real text on every machine."""

from __future__ import annotations

import sys

from heedful.data.text import Corpus
from heedful.errors import DataError

BLOCK = 20


def python_reference() -> Corpus:
    """The topics of `pydoc_data`, in the order of their names, cut into training, validation and test text.

    The text is cut into 20 equal blocks between lines; of every ten blocks the fifth is for validation and the tenth
    for testing, so that all three parts span the alphabet: 80 %, 10 %, 10 %. The words differ a little from one
    version of Python to the next.

    >>> corpus = python_reference()
    >>> len(corpus.train) > 7 * len(corpus.validation) > 0
    True
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError("python-reference: this Python was built without pydoc_data; a text file as --data would work") from None
    text = "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
    version = ".".join(map(str, sys.version_info[:3]))
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for i, block in enumerate(blocks(text, BLOCK)):
        parts[{4: "validation", 9: "test"}.get(i % 10, "train")].append(block)
    train, validation, test = ("".join(part) for part in parts.values())
    split = f"Python {version}, blocks 5 and 15 of {BLOCK} to validate, 10 and 20 to test, the others to train"
    return Corpus("python-reference", train, validation, test, split)


def blocks(text: str, count: int) -> list[str]:
    """The text in `count` blocks of about equal length, cut where a line ends."""
    ends = [text.find("\n", len(text) * (i + 1) // count - 1) + 1 or len(text) for i in range(count)]
    return [text[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
