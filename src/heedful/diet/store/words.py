"""The words of a text, for an index: scripts that part words by spaces, and those that do not, by overlapping pairs of characters.

FTS5's unicode61 takes a Chinese sentence for one word and finds no part of it; its trigrams miss words of two characters. Here a run
ABCD is written `AB BC CD D`: two characters and more are found as neighbouring pairs, one character as the beginning of a pair. What is a
word is decided here, not by the database (whose letters are those of Unicode 6.1).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from heedful.errors import UsageError

# Han, kana, Hangul (particles are written to its words), Thai, Lao, Burmese, Khmer: between these letters stands no space
JOINED: Final = (
    "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u1100-\u11ff\uac00-\ud7a3\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
)
ACCENTS: Final = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640]")
QUERY: Final = re.compile(r'(?P<no>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
LONGEST: Final = 64  # characters of a word; what is longer is no word


def fold(text: str) -> str:
    """Letters without case, accents, points and width.

    >>> fold("Ｃafé ÉTÉ Straße")
    'cafe ete strasse'
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", ACCENTS.sub("", plain))


@cache
def runs() -> re.Pattern[str]:
    """Runs of letters, digits and their marks, of the two sorts of script; marks are not `\\w` to `re`."""
    marks = "".join(chr(code) for code in range(0x10000) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
    marks = re.sub(f"[{JOINED}]", "", marks)
    return re.compile(rf"(?P<joined>[{JOINED}]+)|(?:[^\W_{JOINED}]|[{marks}])+")


def indexed(text: str) -> str:
    """The words of a text as the index has them, in order, parted by spaces.

    >>> indexed("我爱读书 and Café_Noir")
    '我爱 爱读 读书 书 and cafe noir'
    """
    found: list[str] = []
    for run in runs().finditer(fold(text)):
        word = run.group()
        if run["joined"]:
            found.extend(word[i : i + 2] for i in range(len(word)))  # the last stands alone
        elif len(word) <= LONGEST:
            found.append(word)
    return " ".join(found)


@dataclass(frozen=True)
class Term:
    """Words that stand side by side, or the pairs of joined characters; `text` is what it looks like, folded."""

    words: tuple[str, ...]
    joined: bool = False
    text: str = ""

    @property
    def begins(self) -> bool:
        """Whether it is one joined character, with which a pair begins."""
        return self.joined and len(self.text) == 1


@dataclass(frozen=True)
class Query:
    """Terms that must all be there, and those that must not."""

    every: tuple[Term, ...]
    never: tuple[Term, ...] = ()


def query(text: str) -> Query:
    """A reader's words: all of them, `"side by side"`, `-without`; no other sign means anything.

    >>> [term.words for term in query('读书会 "climate change" -rain').every]
    [('读书', '书会'), ('climate', 'change')]

    Raises `UsageError` where there is no word to look for.
    """
    every: list[Term] = []
    never: list[Term] = []
    for part in QUERY.finditer(text):
        (never if part["no"] else every).extend(terms(part["phrase"] or part["word"] or ""))
    if not every:
        raise UsageError(f'nothing to search for in {text[:80]!r}: a word would work, or more, or "words side by side", or a word -without')
    return Query(tuple(dict.fromkeys(every)), tuple(dict.fromkeys(never)))


def terms(chunk: str) -> list[Term]:
    """The terms of a chunk: parted words together, every run of joined characters by itself."""
    found: list[Term] = []
    side: list[str] = []
    for run in runs().finditer(fold(chunk)):
        word = run.group()
        if not run["joined"]:
            if len(word) <= LONGEST:
                side.append(word)
            continue
        found.extend(together(side))
        side = []
        pairs = tuple(word[i : i + 2] for i in range(max(len(word) - 1, 1)))
        found.append(Term(pairs, joined=True, text=word))
    return found + together(side)


def together(words: list[str]) -> list[Term]:
    """Words side by side as a term, if there are any."""
    return [Term(tuple(words), text=" ".join(words))] if words else []
