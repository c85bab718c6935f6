"""What the name of a recording says of it: the word and the speaker, as published sets write them."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final, NamedTuple

from heedful.data.sources import PARTS

DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
YES_NO: Final = re.compile(r"[01](_[01])+")  # OpenSLR 1: 1 is yes, 0 is no
SPOKEN: Final = re.compile(r"(?P<text>[^_]+)_(?P<speaker>[^_\d][^_]*)_(?P<take>\d+)")  # the Free Spoken Digit Dataset
COMMAND: Final = re.compile(r"(?P<speaker>[0-9a-f]+)_nohash_\d+")  # Speech Commands: the folder is the word


class Named(NamedTuple):
    """What is said, by whom (empty: not known), and the number of the recording (None: not known)."""

    text: str
    speaker: str
    take: int | None = None


def named(path: PurePath) -> Named | None:
    """What a path says; None where neither its name nor its folder says anything.

    >>> named(PurePath("7_jackson_32.wav"))
    Named(text='seven', speaker='jackson', take=32)
    >>> named(PurePath("waves/1_0.wav")).text, named(PurePath("stop/0a7c_nohash_0.wav"))
    ('yes no', Named(text='stop', speaker='0a7c', take=None))
    """
    if YES_NO.fullmatch(path.stem):
        return Named(" ".join("yes" if sign == "1" else "no" for sign in path.stem.split("_")), "")
    spoken = COMMAND.fullmatch(path.stem)
    if not spoken and (found := SPOKEN.fullmatch(path.stem)):
        return Named(in_words(found["text"]), found["speaker"], int(found["take"]))
    if len(path.parts) < 2 or part_of(path.parent):
        return None
    return Named(in_words(path.parent.name), spoken["speaker"] if spoken else "")


def in_words(text: str) -> str:
    """A figure as its word, anything else as it is."""
    return DIGITS[int(text)] if text.isascii() and text.isdigit() and len(text) == 1 else text.replace("-", " ")


def part_of(folder: PurePath) -> str | None:
    """The part that one of the folders is named after."""
    return next((part for part, names in PARTS.items() for name in folder.parts if name.lower() in names), None)
