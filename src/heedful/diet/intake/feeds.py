"""A feed read: RSS 0.9x to 2.0, RDF, Atom and CDF by feedparser, JSON Feed by ourselves.

Sources: https://www.rssboard.org/rss-specification, RFC 4287 (Atom), https://www.jsonfeed.org/version/1.1/.
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Mapping
from typing import Any, Final

from heedful.diet.intake import jsonfeed
from heedful.diet.intake.channel import Channel, Entry, language
from heedful.diet.intake.markup import line, plain, tidy
from heedful.errors import DataError, MissingExtra

LARGEST: Final = 20_000_000  # bytes; the largest feed of ours has 1.6 million
MOST: Final = 5_000  # entries
SOUND: Final = ("audio/", "video/")
CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
CDF: Final = re.compile(rb"<channel[\s>]", re.I)
GROWING: Final = re.compile(rb"<!ENTITY[^>]{0,10000}&(?!#)")  # an entity made of others may grow to anything
PAGE: Final = re.compile(rb"<!doctype html|<html[\s>]", re.I)


def parse(document: bytes, address: str = "", content_type: str = "") -> Channel:
    """What a feed says; entries without title, text, media and link are left out.

    >>> made = parse(b"<rss version='2.0'><channel><title>T</title><item><title>One &amp;amp; two</title></item></channel></rss>")
    >>> made.title, made.entries[0].title
    ('T', 'One & two')

    Arguments:
        address: where it was, for links that are relative.
        content_type: as its server said, for the encoding.

    Raises `DataError` for what is no feed, `MissingExtra` without feedparser.
    """
    if len(document) > LARGEST:
        raise DataError(f"{address or 'feed'}: {len(document):,} bytes: a feed of up to {LARGEST:,} would work")
    if document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return jsonfeed.parse(document, address)
    if GROWING.search(document[:100_000].replace(b"\x00", b"")):
        raise DataError(f"{address or 'feed'}: entities made of entities: a feed without them would work")
    try:
        import feedparser
    except ImportError:
        raise MissingExtra("feedparser", "diet", "reading feeds") from None
    charset = CHARSET.search(content_type)
    headers = {"content-type": "application/xml" + (f"; charset={charset[1]}" if charset else ""), "content-location": address}
    try:
        found = feedparser.parse(io.BytesIO(document), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:  # a parser of 30 years of broken documents: whatever it trips over, the document is refused, not the poll
        raise DataError(f"{address or 'feed'}: could not be read ({type(error).__name__}: {str(error)[:100]})") from error
    if not found.get("version") and not found.entries and (PAGE.search(document[:2000]) or not CDF.search(document[:5000])):
        raise DataError(f"{address or 'document'}: {nature(document, found)}: RSS, Atom, CDF or JSON Feed would work")
    head = found.feed
    entries = (entry(one, str(head.get("language") or "")) for one in found.entries[:MOST])
    title = said(head, "title")
    return Channel(
        title, str(head.get("link") or ""), language(str(head.get("language") or ""), title), tuple(e for e in entries if told(e))
    )


def nature(document: bytes, found: Mapping[str, Any]) -> str:
    """What a document is that is no feed."""
    if not document.strip():
        return "empty"
    if PAGE.search(document[:2000]):
        return "a page of HTML, no feed"
    wrong = found.get("bozo_exception")
    return f"no feed ({wrong})" if wrong is not None and found.get("bozo") else "no feed"


def told(one: Entry) -> bool:
    """Whether an entry says anything."""
    return bool(one.title or one.text or one.summary or one.media or one.link)


def entry(one: Mapping[str, Any], usual: str) -> Entry:
    """An entry of feedparser's as one of ours."""
    title, summary = said(one, "title"), said(one, "summary")
    contents = [text for text in (body(content) for content in one.get("content") or ()) if text]
    text = max(contents, key=len, default="")
    media = sound(one)
    return Entry(
        link=str(one.get("link") or ""),
        key=str(one.get("id") or ""),
        title=" ".join(title.split()),
        text=text if len(text) >= len(summary) else "",
        summary=summary if summary != text else text[:500],
        author=line(str(one.get("author") or "")),
        published=date(one),
        seconds=length(one),
        media=media,
        language=language(str((one.get("title_detail") or {}).get("language") or usual), f"{title}\n{text or summary}"),
        tags=tuple(dict.fromkeys(line(str(tag.get("label") or tag.get("term") or "")) for tag in one.get("tags") or ())),
    )


def said(one: Mapping[str, Any], name: str) -> str:
    """A text of a feed or an entry, plain."""
    return body(one.get(f"{name}_detail") or {"value": one.get(name), "type": "text/html"})


def body(content: Mapping[str, Any]) -> str:
    """A piece of content, plain, whether it is text or HTML."""
    value = str(content.get("value") or "")
    return tidy(value) if content.get("type") == "text/plain" else plain(value)


def date(one: Mapping[str, Any]) -> float:
    """When it was published, else updated, in seconds; 0 where nothing that can be understood is said."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        said = one[name] if name in one else None  # noqa: SIM401 - `get` of what is not there finds another date, and warns
        if said:
            try:
                return max(float(calendar.timegm(said)), 0.0)
            except (ValueError, OverflowError, TypeError):
                continue
    return 0.0


def sound(one: Mapping[str, Any]) -> str:
    """The address of its sound or film."""
    enclosures = [link for link in one.get("links") or () if link.get("rel") == "enclosure"]
    for media in (*enclosures, *(one.get("media_content") or ())):
        kind = str(media.get("type") or "") or f"{media.get('medium', '')}/"
        if kind.startswith(SOUND):
            return str(media.get("href") or media.get("url") or "")
    return ""


def length(one: Mapping[str, Any]) -> float | None:
    """How long its sound or film is."""
    durations = [one.get("itunes_duration"), *(media.get("duration") for media in one.get("media_content") or ())]
    return next((found for found in (seconds(str(said)) for said in durations if said) if found), None)


def seconds(said: str) -> float | None:
    """Seconds of `3723`, `62:03` or `1:02:03`.

    >>> [seconds(said) for said in ("3723", "62:03", "1:02:03", "an hour")]
    [3723.0, 3723.0, 3723.0, None]
    """
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?|(\d{1,3}:)?\d{1,4}:\d{1,2}(\.\d{1,6})?", said.strip()):
        return None
    total = 0.0
    for part in said.strip().split(":"):
        total = total * 60 + float(part)
    return total or None
