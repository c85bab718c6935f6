"""Scripts that write no spaces between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# First and last code point: South-East Asian scripts; signs, kana, ideographs and full-width forms; ideographs beyond the first plane.
RANGES: Final = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)
MOST: Final = 0.3  # of a text's letters, from which it counts as one without spaces


def spaceless(character: str) -> bool:
    """Whether a character is of such a script.

    >>> [spaceless(c) for c in "a犬ネ。é"]
    [False, True, True, True, False]
    """
    return any(low <= ord(character) <= high for low, high in RANGES)


def without_spaces(texts: Iterable[str]) -> bool:
    """Whether texts are mostly of such a script.

    >>> without_spaces(["犬が走る。"]), without_spaces(["a dog runs."])
    (True, False)
    """
    whole = "".join("".join(text.split()) for text in texts)
    return bool(whole) and sum(map(spaceless, whole)) > MOST * len(whole)
