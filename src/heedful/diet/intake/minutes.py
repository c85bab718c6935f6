"""How long reading takes: words and characters over a reader's pace, learnt from what reading took.

The usual paces: 238 words of English a minute in silence (Brysbaert 2019, Journal of Memory and Language 109); 255 characters of Chinese
and 357 of Japanese (Trauzettel-Klosinski & Dietz 2012, Investigative Ophthalmology & Visual Science 53(9), table 2).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

WORDS: Final = 238.0
CHINESE: Final = 255.0
JAPANESE: Final = 357.0
KANA: Final = re.compile(r"[\u3040-\u30ff]")
DENSE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
WORD: Final = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*")


class Length(NamedTuple):
    """Words of scripts that part them, and characters of those that do not (Chinese, Japanese)."""

    words: int
    characters: int
    kana: bool


def length(text: str) -> Length:
    """What there is to read.

    >>> length("Don't panic: 42 times.")
    Length(words=4, characters=0, kana=False)
    >>> length("我爱读书 and you")
    Length(words=2, characters=4, kana=False)
    """
    dense = DENSE.findall(text)
    return Length(len(WORD.findall(DENSE.sub(" ", text))), len(dense), bool(KANA.search(text)))


class Read(NamedTuple):
    """What reading an item took: the minutes it should have taken at the usual pace, and those it did."""

    usual: float
    took: float


@dataclass(frozen=True)
class Pace:
    """A reader's own pace: how many times the usual minutes reading takes.

    Arguments:
        factor: 1 for the usual pace, 2 for one of half the speed.
    """

    factor: float = 1.0

    @classmethod
    def learnt(cls, reads: Iterable[Read], trust: float = 5.0) -> Pace:
        """The pace behind what reading took: the geometric mean of the ratios, drawn to 1 as by `trust` reads of the usual pace.

        What took under a fifth of the usual time was not read, and what took over five times was left open: neither counts.

        >>> round(Pace.learnt([Read(2.0, 4.0)] * 5).factor, 3)
        1.414
        """
        logs = [math.log(read.took / read.usual) for read in reads if read.usual > 0 and 0.2 <= read.took / read.usual <= 5.0]
        return cls(math.exp(sum(logs) / (len(logs) + trust))) if logs else cls()

    def minutes(self, text: str) -> float:
        """Minutes for a text.

        >>> round(Pace().minutes("word " * 476), 3)
        2.0
        """
        found = length(text)
        return self.factor * (found.words / WORDS + found.characters / (JAPANESE if found.kana else CHINESE))
