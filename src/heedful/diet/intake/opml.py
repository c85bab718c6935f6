"""Lists of sources as OPML 2.0 (http://opml.org/spec2.opml), in and out; a folder is a topic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element, ParseError, SubElement, indent, tostring
from xml.parsers.expat import ExpatError

from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.markup import tidy
from heedful.diet.store.rows import Source, SourceKind
from heedful.errors import DataError, MissingExtra

LARGEST: Final = 10_000_000  # bytes
DEEPEST: Final = 20  # folders in folders


def read(document: bytes, name: str = "OPML") -> list[Source]:
    """The sources of a list, each address once, in their order; a folder's name is their topic.

    >>> [source.topic for source in read(b"<opml><body><outline text='Art'><outline xmlUrl='http://a.org/f'/></outline></body></opml>")]
    ['Art']

    Raises `DataError` for what is no OPML, or names no source; `MissingExtra` without defusedxml.
    """
    if len(document) > LARGEST:
        raise DataError(f"{name}: {len(document):,} bytes: a list of up to {LARGEST:,} would work")
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import fromstring
    except ImportError:
        raise MissingExtra("defusedxml", "diet", "reading OPML") from None
    try:
        root: Element = fromstring(document)
    except DefusedXmlException as error:
        raise DataError(f"{name}: entities of its own ({type(error).__name__}): OPML without them would work") from error
    except (ParseError, ExpatError, ValueError, LookupError) as error:
        raise DataError(f"{name}: no XML ({error}): OPML, as feed readers export it, would work") from error
    if root.tag.lower() != "opml":
        raise DataError(f"{name}: {root.tag[:60]!r} where opml was expected: OPML, as feed readers export it, would work")
    found: dict[str, Source] = {}
    for source in outlines(root, "", 0):
        found.setdefault(source.address, source)
    if not found:
        raise DataError(f"{name}: no outline with the xmlUrl of a feed in it: OPML, as feed readers export it, would work")
    return list(found.values())


def outlines(above: Element, topic: str, depth: int) -> Iterator[Source]:
    """The sources below an element."""
    if depth > DEEPEST:
        return
    for one in above:
        given = {name.lower(): " ".join(tidy(value).split()) for name, value in one.attrib.items()}
        title = given.get("title") or given.get("text") or ""
        feed, page = given.get("xmlurl"), given.get("url") or given.get("htmlurl")
        if one.tag.lower() != "outline":
            yield from outlines(one, topic, depth + 1)
        elif address := feed or (page if given.get("type", "").lower() in ("link", "page") else None):
            kind: SourceKind = "feed" if feed else "page"
            named = given.get("category", "").split(",")[0].strip("/ ").split("/")[-1]
            if kept := web(address):
                yield Source(address=kept, title=title, kind=kind, topic=topic or named)
        else:
            yield from outlines(one, title or topic, depth + 1)


def web(address: str) -> str:
    """An address of the web in its one form, else empty; `feed:` is an old way to write one."""
    try:
        plain = address.removeprefix("feed:") if address.startswith("feed:http") else address.replace("feed://", "http://", 1)
        return canonical(plain)
    except DataError:
        return ""


def write(sources: Sequence[Source], title: str = "Sources") -> str:
    """A list that feed readers import: a folder a topic; what is no feed is a link, and what is not in the web is left out.

    >>> "xmlUrl" in write([Source(address="https://example.org/feed.xml", topic="art")])
    True
    """
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = tidy(title)
    body = SubElement(root, "body")
    shared = [source for source in sources if web(source.address) and source.kind in ("feed", "page")]
    folders = {topic: SubElement(body, "outline", text=topic, title=topic) for topic in dict.fromkeys(one.topic for one in shared) if topic}
    for source in shared:
        name = " ".join(tidy(source.title).split()) or source.address
        kind = {"type": "rss", "xmlUrl": source.address} if source.kind == "feed" else {"type": "link", "url": source.address}
        SubElement(folders.get(source.topic, body), "outline", {"text": name, "title": name} | kind)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"
