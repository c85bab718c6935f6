"""What sources say, into the store: one address a page, facets and minutes, and the same story told twice put together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urljoin

from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.channel import Channel, Entry
from heedful.diet.intake.facets import depth, topic, usual
from heedful.diet.intake.minutes import length
from heedful.diet.intake.retold import group
from heedful.diet.store.rows import Item, Source
from heedful.diet.store.store import Store
from heedful.errors import DataError

AHEAD: Final = 86400.0  # seconds; what says that it was published later than tomorrow is not believed
TITLE: Final = 300  # letters
SUMMARY: Final = 600
TEXT: Final = 400_000


class Found(NamedTuple):
    """A source and what it said."""

    source: Source
    channel: Channel


@dataclass(frozen=True)
class Taken:
    """What became of it, by the items' ids; `again` are new ones that tell a known story."""

    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    same: tuple[int, ...] = ()
    again: tuple[int, ...] = ()


def take(store: Store, found: Sequence[Found], now: float, grouped: bool = True) -> Taken:
    """Keep what sources said.

    Arguments:
        now: seconds since 1970.
        grouped: False leaves the stories to a later `retold.group`, once for many calls.
    """
    change = store.add_items([item for source, channel in found for item in items(source, channel, now)])
    again = group(store, now) if grouped else ()
    return Taken(change.new, change.changed, change.same, tuple(one for one in again if one in set(change.new)))


def items(source: Source, channel: Channel, now: float) -> list[Item]:
    """The entries of a channel as items of its source."""
    links = [page(source, entry) for entry in channel.entries]
    shared = {link for link, times in Counter(links).items() if times > 1}
    return [
        item(source, entry, address(source, entry, link, link in shared), now) for entry, link in zip(channel.entries, links, strict=True)
    ]


def page(source: Source, entry: Entry) -> str:
    """The canonical address of an entry's page, empty where it has none in the web."""
    try:
        return canonical(urljoin(source.address, entry.link.strip())) if entry.link.strip() else ""
    except (DataError, ValueError):
        return ""


def address(source: Source, entry: Entry, link: str, shared: bool) -> str:
    """What an item is known by: its page; where entries share one, that and their key; where there is none, source and key."""
    own = hashlib.sha256((entry.key or f"{entry.title}\n{entry.text or entry.summary}").encode("utf-8", "replace")).hexdigest()[:16]
    if link:
        return f"{link}#{own}" if shared else link
    return f"urn:heedful:{hashlib.sha256(source.address.encode()).hexdigest()[:12]}:{own}"


def item(source: Source, entry: Entry, address: str, now: float) -> Item:
    """An entry with its facets; a title where it has none is the beginning of its text."""
    text = (entry.text or entry.summary)[:TEXT]
    read = length(text)
    said = entry.title or " ".join(text.split())[:80] or entry.link or entry.media
    return Item(
        source=source.id,
        address=address,
        title=said[:TITLE],
        text=text,
        summary=entry.summary[:SUMMARY],
        author=entry.author[:TITLE],
        published=entry.published if entry.published <= now + AHEAD else now,
        taken=now,
        words=read.words,
        characters=read.characters,
        seconds=entry.seconds,
        language=entry.language,
        topic=topic(source.topic, entry.tags, said, text),
        viewpoint=source.viewpoint,
        depth=depth(usual(read.words, read.characters, entry.seconds, entry.language)),
        media=page(source, Entry(link=entry.media)),
    )
