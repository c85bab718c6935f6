"""HTML as plain text: paragraphs parted by an empty line, nothing that runs, nothing that is fetched."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Final

LONGEST: Final = 1_000_000  # letters of one document; a book has fewer
DROPPED: Final = frozenset(
    [
        "script",
        "style",
        "template",
        "noscript",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "form",
        "button",
        "select",
        "textarea",
        "head",
        "title",
    ]
)
BREAKS: Final = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "aside",
        "blockquote",
        "pre",
        "ul",
        "ol",
        "dl",
        "table",
        "tr",
        "figure",
        "figcaption",
        "hr",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "address",
    ]
)
LINES: Final = frozenset(["br", "li", "dt", "dd"])
TAG: Final = re.compile(r"<[^<>]*>")
ODD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u202a-\u202e\u2066-\u2069\u200b\ufeff]")


class Plain(HTMLParser):
    """The text between the tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        if tag in DROPPED:
            self.hidden.append(tag)
        elif tag in BREAKS:
            self.parts.append("\n\n")
        elif tag in LINES:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag in ("td", "th"):
            self.parts.append("\t")
        elif tag == "img" and not self.hidden:
            said = dict(attrs)
            words = " ".join(filter(None, (said.get("alt"), said.get("title"))))  # a comic says half of it in these
            self.parts.append(f" [{words}] " if words.strip() else " ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag without an inside; one of XHTML's empty `<script/>` hides nothing."""
        if tag not in DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """A tag closes; what was left open inside closes with it."""
        if tag in self.hidden:
            del self.hidden[self.hidden.index(tag) :]
        elif tag in BREAKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self.hidden:
            self.parts.append(re.sub(r"\s+", " ", data))


def plain(markup: str) -> str:
    """The text of a piece of HTML.

    >>> plain("<p>Fish &amp; <b>chips</b></p><script>alert(1)</script><ul><li>one<li>two</ul>")
    'Fish & chips\\n\\n- one\\n- two'
    """
    given = markup[:LONGEST]
    if "<" not in given and "&" not in given:
        return tidy(given)
    parser = Plain()
    try:
        parser.feed(given)
        parser.close()
    except AssertionError:  # what the parser does with `<![x`
        return tidy(unescape(TAG.sub(" ", given)))
    return tidy("".join(parser.parts))


def tidy(text: str) -> str:
    """Plain text without odd characters, spaces in a row, and more than one empty line; characters that turn the direction go, too.

    >>> tidy(" a \\x00 b\\r\\n\\n\\n c ")
    'a b\\n\\nc'
    """
    lines = [" ".join(line.split()) for line in ODD.sub("", text[:LONGEST]).replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    joined = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
    return re.sub(r"\n\n- (?=\n|$)|(?<=\n)-\n", "\n", joined).strip()


def line(markup: str) -> str:
    """A title: one line."""
    return " ".join(plain(markup).split())
