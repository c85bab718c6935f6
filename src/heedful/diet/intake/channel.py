"""What a source says, in one form whatever it was written in: a channel and its entries, all plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from heedful.diet.intake.minutes import KANA

HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
HANGUL: Final = re.compile(r"[\uac00-\ud7a3]")
TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Entry:
    """An item as its source tells it.

    Arguments:
        link: its page, as written, or empty.
        key: what the source calls it by, where it has no page of its own.
        text, summary: plain; the text is empty where the source gives a summary only.
        published: seconds since 1970, 0 where unknown.
        seconds: of its sound or film, or None.
        media: the address of that, or empty.
        tags: the categories it names.
    """

    link: str = ""
    key: str = ""
    title: str = ""
    text: str = ""
    summary: str = ""
    author: str = ""
    published: float = 0.0
    seconds: float | None = None
    media: str = ""
    language: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A source's document: its own title, its site, and its entries."""

    title: str = ""
    home: str = ""
    language: str = ""
    entries: tuple[Entry, ...] = ()


def language(said: str, text: str) -> str:
    """The language as it is said; else as the script shows it, where a script shows one.

    >>> language("EN_gb", ""), language("", "私は本を読む"), language("", "我爱读书"), language("", "bonjour")
    ('en-GB', 'ja', 'zh', '')
    """
    if TAG.fullmatch(said.strip()):
        first, *rest = re.split("[-_]", said.strip())
        return "-".join([first.lower(), *(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in rest)])
    beginning = text[:2000]
    letters = sum(letter.isalpha() for letter in beginning)
    for name, script in (("ja", KANA), ("zh", HAN), ("ko", HANGUL)):
        if len(script.findall(beginning)) * (20 if name == "ja" else 3) > letters > 0:
            return name
    return ""
