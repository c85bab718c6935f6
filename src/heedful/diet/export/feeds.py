"""A list of items as RSS 2.0 or JSON Feed 1.1, for any feed reader.

RSS Advisory Board, RSS 2.0 specification; jsonfeed.org, version 1.1.
"""

from __future__ import annotations

import json
import re
from email.utils import formatdate
from typing import Any, Final
from xml.etree import ElementTree

from heedful.diet.export.listing import Listing

HERE: Final = "https://heedful.invalid/"  # a feed must name a page; this one is nobody's
UNSAID: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


def rss(found: Listing, home: str = HERE) -> str:
    """RSS 2.0, in UTF-8.

    Arguments:
        home: the page that the feed is of.
    """
    root = ElementTree.Element("rss", {"version": "2.0"})
    channel = ElementTree.SubElement(root, "channel")
    for name, text in (("title", found.title), ("link", home), ("description", "Made by Heedful"), ("lastBuildDate", formatdate(found.at))):
        put(channel, name, text)
    for entry in found.entries:
        item = ElementTree.SubElement(channel, "item")
        put(item, "title", entry.item.title or entry.item.address)
        if linked(entry.item.address):
            put(item, "link", entry.item.address)
        guid = put(item, "guid", entry.item.address)
        guid.set("isPermaLink", "true" if linked(entry.item.address) else "false")
        put(item, "pubDate", formatdate(entry.item.published))
        put(item, "description", "\n\n".join(filter(None, (entry.note, entry.item.summary))))
        if entry.item.topic:
            put(item, "category", entry.item.topic)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def put(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    """An element of text."""
    child = ElementTree.SubElement(parent, name)
    child.text = UNSAID.sub("", text)
    return child


def json_feed(found: Listing, home: str = HERE) -> str:
    """JSON Feed 1.1."""
    whole: dict[str, Any] = {"version": "https://jsonfeed.org/version/1.1", "title": found.title, "home_page_url": home, "items": []}
    for entry in found.entries:
        item = entry.item
        one = {"id": item.address, "title": item.title, "content_text": item.summary or item.title, "date_published": when(item.published)}
        if linked(item.address):
            one["url"] = item.address
        if entry.note:
            one["summary"] = entry.note
        if item.language:
            one["language"] = item.language
        whole["items"].append(one | ({"tags": [item.topic]} if item.topic else {}))
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def linked(address: str) -> bool:
    """Whether an address leads anywhere."""
    return address.startswith(("http://", "https://"))


def when(seconds: float) -> str:
    """A time as RFC 3339 writes it.

    >>> when(0.0)
    '1970-01-01T00:00:00Z'
    """
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
