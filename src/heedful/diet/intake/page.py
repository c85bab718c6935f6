"""A page of the web as an item, by trafilatura; and the feeds that a page names."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.channel import Channel, Entry, language
from heedful.diet.intake.markup import line, tidy
from heedful.errors import DataError, MissingExtra

FEEDS: Final = frozenset(
    ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/json", "application/rdf+xml")
)
CHARSET: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w.:-]+)", re.I)
SAID: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)


def page_of(document: bytes, address: str, content_type: str = "") -> Channel:
    """The text of a page without what stands around it, as a channel of one entry.

    Raises `DataError` for a page without a text to read, `MissingExtra` without trafilatura.
    """
    try:
        from trafilatura import bare_extraction
        from trafilatura.settings import Document
    except ImportError:
        raise MissingExtra("trafilatura", "diet", "reading a page") from None
    written = decoded(document, content_type)
    found = bare_extraction(written, url=address, with_metadata=True, include_comments=False) if written.strip() else None
    read = (found.text or "") if isinstance(found, Document) else ""
    if not isinstance(found, Document) or not read.strip():
        raise DataError(f"{address}: no text to read was found on the page: the address of an article, or of a feed, would work")
    links = Links()
    links.feed(written[:200_000])
    text = tidy(re.sub(r"\n+", "\n\n", read))
    title = line(found.title or "") or line(links.title)
    said = language(found.language or links.language, text)
    entry = Entry(
        link=address,
        key=address,
        title=title,
        text=text,
        summary=line(found.description or "") or text[:300],
        author=line(found.author or ""),
        published=date(found.date or ""),
        language=said,
    )
    return Channel(title=line(found.sitename or "") or title, home=address, language=said, entries=(entry,))


def linked(document: bytes, address: str, content_type: str = "") -> list[str]:
    """The feeds that a page names, by their canonical addresses.

    >>> linked(b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">', "https://example.org/blog/")
    ['https://example.org/feed.xml']
    """
    links = Links()
    links.feed(decoded(document, content_type)[:200_000])
    found: list[str] = []
    for link in links.feeds:
        try:
            found.append(canonical(urljoin(address, link)))
        except (DataError, ValueError):
            continue
    return list(dict.fromkeys(found))


class Links(HTMLParser):
    """What the head of a page says: its feeds, title and language."""

    def __init__(self) -> None:
        super().__init__()
        self.feeds: list[str] = []
        self.title, self.language, self.inside = "", "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag opens."""
        given = {name: value or "" for name, value in attrs}
        if tag == "link" and "alternate" in given.get("rel", "").lower().split() and given.get("type", "").lower() in FEEDS:
            self.feeds.append(given.get("href", ""))
        elif tag == "html":
            self.language = given.get("lang", "")
        self.inside = tag == "title"

    def handle_endtag(self, tag: str) -> None:
        """A tag closes."""
        self.inside = False

    def handle_data(self, data: str) -> None:
        """Text."""
        if self.inside and not self.title:
            self.title = data


def decoded(document: bytes, content_type: str = "") -> str:
    """The letters of a page: as its server says, else as it says itself, else UTF-8, else the usual ones of Chinese or of the west.

    >>> decoded("读书".encode("gb18030")), decoded("café".encode("cp1252"))
    ('读书', 'café')
    """
    said, meta = SAID.search(content_type), CHARSET.search(document[:4000])
    tried = [said[1] if said else "", meta[1].decode("ascii", "ignore") if meta else "", "utf-8-sig"]
    for encoding in filter(None, tried):
        try:
            return document.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    try:
        chinese = document.decode("gb18030")
    except UnicodeDecodeError:
        return document.decode("cp1252", "replace")
    pairs = sum("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    return chinese if pairs * 4 >= sum(byte > 127 for byte in document) else document.decode("cp1252", "replace")


def date(said: str) -> float:
    """Seconds of a day written 2026-11-21, 0 where it is none."""
    try:
        return max(datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp(), 0.0)
    except ValueError:
        return 0.0
