"""A sentence in its words: signs stand apart, and Chinese or Japanese without spaces is taken character by character."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from heedful.errors import UsageError

MOST: Final = 256  # tokens of a sentence

# one letter for the kind of each character: w letter, d digit, m mark that leans on what stands before, c Chinese or Japanese,
# a apostrophe, n sign inside a number, z joiner, s space, p anything else
WHOLE: Final = re.compile(r"d+(?:nd+)+|[wdcm]+(?:a[wdcm]+)*|[anp]m*(?:zpm*)*")
BY_CHARACTER: Final = re.compile(r"d+(?:nd+)+|[wdm]+(?:a[wdm]+)*|cm*|[anp]m*(?:zpm*)*")
EAST_ASIAN: Final = ((0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


def words(sentence: str) -> list[str]:
    """The words of a sentence; `UsageError` if it has none, too many, or is no text.

    >>> words("I don't love 3.5 books!")
    ['I', "don't", 'love', '3.5', 'books', '!']
    >>> words("我爱读书。"), words("我 爱 读书。")
    (['我', '爱', '读', '书', '。'], ['我', '爱', '读书', '。'])
    """
    if any("\ud800" <= character <= "\udfff" for character in sentence):
        raise UsageError(f"a sentence is text: {sentence!r} holds bytes that are no UTF-8")
    kinds = "".join(map(kind, sentence))
    pattern = WHOLE if "s" in kinds.strip("s") else BY_CHARACTER
    return checked([sentence[match.start() : match.end()] for match in pattern.finditer(kinds)], sentence)


def checked(tokens: list[str], sentence: str) -> list[str]:
    """The tokens of a sentence, if there are any and not too many."""
    if not tokens:
        raise UsageError(f"a sentence has at least one word: found {sentence!r}; heedful look 'I love to read books.' would work")
    if len(tokens) > MOST:
        raise UsageError(f"look takes sentences of at most {MOST} tokens: found {len(tokens)}; a part of it would work")
    return tokens


def kind(character: str) -> str:
    """The letter for what a character does in a word."""
    if character in "'’":
        return "a"
    if character in ".,":
        return "n"
    if character == "\u200d":
        return "z"
    category = unicodedata.category(character)
    if category[0] == "M" or "\U0001f3fb" <= character <= "\U0001f3ff":
        return "m"
    if any(low <= ord(character) <= high for low, high in EAST_ASIAN):
        return "c"
    if category[0] in "ZC":
        return "s"
    return "d" if category == "Nd" else "w" if category[0] in "LN" or character == "_" else "p"
