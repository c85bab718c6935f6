"""Where words begin and end, in scripts with spaces between them and in those without."""

from __future__ import annotations

import re
from typing import Final

# Han, Hiragana, Katakana and Bopomofo; Thai, Lao, Khmer and Burmese: scripts whose words stand without spaces.
UNSPACED: Final = (
    "\u3005-\u3007\u3040-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U000323af"
)
WORD: Final = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]")


def words_in(text: str) -> list[str]:
    """The words and signs of a text; of a script without spaces every character is taken as a word.

    >>> words_in("It's 東京 now.")
    ['It', "'", 's', '東', '京', 'now', '.']
    """
    return WORD.findall(text)


def places_in(text: str) -> list[tuple[int, int]]:
    """Where each of them begins and ends, in characters.

    >>> places_in("a 東京")
    [(0, 1), (2, 3), (3, 4)]
    """
    return [match.span() for match in WORD.finditer(text)]
