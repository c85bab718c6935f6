"""What the store keeps, one frozen row each; times are seconds since 1970 (UTC), days are written 2026-11-21."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

SourceKind = Literal["feed", "page", "folder", "newsletter"]
FeedbackKind = Literal["opened", "finished", "worth", "not_worth", "later", "less", "more", "saved", "revisited", "rated"]
NoteKind = Literal["highlight", "note"]

SOURCES: Final[tuple[SourceKind, ...]] = ("feed", "page", "folder", "newsletter")
FEEDBACK: Final[tuple[FeedbackKind, ...]] = (
    "opened", "finished", "worth", "not_worth", "later", "less", "more", "saved", "revisited", "rated",
)  # fmt: skip
DONE: Final[tuple[FeedbackKind, ...]] = ("opened", "finished", "worth", "not_worth", "less", "rated")  # after these an item is not unread
NOTES: Final[tuple[NoteKind, ...]] = ("highlight", "note")


@dataclass(frozen=True)
class Source:
    """Where items come from.

    >>> Source(address="https://example.org/feed.xml", title="Example").kind
    'feed'

    Arguments:
        id: 0 until it is kept.
        address: of the feed or page, or the path of a folder or newsletter file.
        etag, modified: what its server last said of the document, sent back to be told "unchanged".
        due: when it may be asked next, in seconds.
        failures: askings in a row that failed.
        paused: not asked until this is changed.
        error: why the last asking failed, one line, else empty.
    """

    id: int = 0
    address: str = ""
    title: str = ""
    kind: SourceKind = "feed"
    topic: str = ""
    viewpoint: str = ""
    etag: str = ""
    modified: str = ""
    due: float = 0.0
    failures: int = 0
    paused: bool = False
    error: str = ""


@dataclass(frozen=True)
class Item:
    """Something to read, hear or watch; its text is plain, paragraphs parted by an empty line.

    Arguments:
        id: 0 until it is kept.
        source: the id of the source that brought it first.
        address: canonical and its own; `urn:...` where it has none in the web.
        text: empty in lists that do not ask for whole items.
        published, taken: seconds; when it says it appeared, and when it was taken in.
        words, characters: to read; characters are those of Chinese and Japanese.
        seconds: of its sound or film, None for a text.
        language: as in BCP 47 ("en", "zh-CN"), empty where unknown.
        depth: "brief", "article" or "long".
        story: the id of the first item that told its story; its own where that is itself.
        media: the address of its sound, film or picture, or empty.
    """

    id: int = 0
    source: int = 0
    address: str = ""
    title: str = ""
    text: str = ""
    summary: str = ""
    author: str = ""
    published: float = 0.0
    taken: float = 0.0
    words: int = 0
    characters: int = 0
    seconds: float | None = None
    language: str = ""
    topic: str = ""
    viewpoint: str = ""
    depth: str = ""
    story: int = 0
    media: str = ""


class Head(NamedTuple):
    """What an edition reads of an item before it looks at it closely, as in `Item`: numbers and groups, no words.

    SQLite's index has these columns in this order (schema.py): another order or column wants a new version of the format.
    """

    id: int
    taken: float
    published: float
    source: int
    words: int
    characters: int
    seconds: float | None
    language: str
    topic: str
    viewpoint: str
    depth: str
    story: int

    @classmethod
    def of(cls, item: Item) -> Head:
        """The head of an item.

        >>> Head.of(Item(id=3, title="On rivers", words=80)).words
        80
        """
        known = vars(item)
        return cls._make(known[name] for name in cls._fields)


@dataclass(frozen=True)
class Which:
    """Which items of the store, newest first.

    Arguments:
        since, until: seconds at which they were taken in; `until` is left out.
        source: the id of their source.
        ids: these only, in this order.
        unread: those without a feedback of `DONE` only.
        limit: at most so many.
        whole: with their texts (a list without them is ten times quicker).
    """

    since: float | None = None
    until: float | None = None
    source: int | None = None
    ids: Collection[int] | None = None
    unread: bool = False
    limit: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class Feedback:
    """What the reader did or said.

    Arguments:
        value: minutes it took for opened and finished (0 where unknown), 1 to 5 for rated, else 1.
        at: seconds.
        reason: of "more" and "less": what of it ("topic politics", "source Example"), or empty.
    """

    item: int
    kind: FeedbackKind
    value: float = 1.0
    at: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Made:
    """An edition: the day it is of, its minutes, which policy made it under which diet."""

    id: int = 0
    day: str = ""
    minutes: float = 0.0
    policy: str = ""
    diet: Mapping[str, Any] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True)
class Shown:
    """An item of an edition.

    Arguments:
        place: from 0.
        propensity: of the item in the final edition, in (0, 1].
        minutes: planned.
        reason: the parts of the score, and what else was said of it.
    """

    edition: int
    item: int
    place: int
    propensity: float = 1.0
    minutes: float = 0.0
    score: float = 0.0
    policy: str = ""
    reason: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A highlight (its quote) or a note on an item."""

    id: int = 0
    item: int = 0
    kind: NoteKind = "note"
    quote: str = ""
    text: str = ""
    at: float = 0.0


@dataclass(frozen=True)
class Change:
    """What adding items did, by their ids: new ones, ones whose text or title changed, ones that were the same."""

    new: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    same: tuple[int, ...] = ()


@dataclass(frozen=True)
class Hit:
    """A found item.

    Arguments:
        item: without its text.
        snippet: the text around what was found.
        spans: places (start, end) in the snippet of what was found.
        rank: higher is better.
        reason: why the newest edition left it out, or empty.
        edition: the newest edition it is in, or None.
    """

    item: Item
    snippet: str
    spans: tuple[tuple[int, int], ...]
    rank: float
    reason: str = ""
    edition: int | None = None
