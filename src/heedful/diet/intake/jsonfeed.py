"""JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from heedful.diet.intake.channel import Channel, Entry, language
from heedful.diet.intake.markup import line, plain, tidy
from heedful.errors import DataError


def parse(document: bytes, address: str = "") -> Channel:
    """What a JSON Feed says.

    >>> parse(b'{"version": "https://jsonfeed.org/version/1.1", "title": "T", "items": [{"id": 7, "content_text": "Hm."}]}').entries[0].key
    '7'

    Raises `DataError` for JSON that is no feed.
    """
    where = address or "document"
    try:
        found = json.loads(document.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: no JSON ({error}): RSS, Atom, CDF or JSON Feed would work") from error
    if not isinstance(found, dict) or "jsonfeed.org/version" not in str(found.get("version")) or not isinstance(found.get("items"), list):
        raise DataError(f"{where}: JSON without a JSON Feed's version and items: RSS, Atom, CDF or JSON Feed would work")
    usual = text(found, "language")
    entries = (entry(one, usual) for one in found["items"] if isinstance(one, dict))
    told = tuple(one for one in entries if one.title or one.text or one.summary or one.media or one.link)
    return Channel(line(text(found, "title")), text(found, "home_page_url"), language(usual, text(found, "title")), told)


def entry(one: Mapping[str, Any], usual: str) -> Entry:
    """An item."""
    content = tidy(text(one, "content_text")) or plain(text(one, "content_html"))
    title, summary = line(text(one, "title")), tidy(text(one, "summary"))
    media = next((found for found in several(one, "attachments") if text(found, "mime_type").startswith(("audio/", "video/"))), {})
    lasts = media.get("duration_in_seconds")
    authors = [*several(one, "authors"), *([one["author"]] if isinstance(one.get("author"), dict) else [])]
    tags = one.get("tags") if isinstance(one.get("tags"), list) else []
    return Entry(
        link=text(one, "url") or text(one, "external_url"),
        key=text(one, "id"),
        title=title,
        text=content,
        summary=summary or content[:500],
        author=", ".join(line(text(author, "name")) for author in authors if text(author, "name")),
        published=date(text(one, "date_published") or text(one, "date_modified")),
        seconds=float(lasts) if isinstance(lasts, (int, float)) and 0 < lasts < 1e6 else None,
        media=text(media, "url"),
        language=language(text(one, "language") or usual, f"{title}\n{content}"),
        tags=tuple(line(tag) for tag in tags or () if isinstance(tag, str)),
    )


def text(one: Mapping[str, Any], name: str) -> str:
    """A string, or a number (an id may be one), as a string."""
    value = one.get(name)
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def several(one: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects."""
    value = one.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def date(said: str) -> float:
    """Seconds of a date as in RFC 3339; 0 where it is none.

    >>> date("2026-11-21T08:00:00Z")
    1795248000.0
    """
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return 0.0
    return max((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp(), 0.0)
