"""Sources asked, politely: only when due, one document of a host at a time, some hosts at once, less often when they fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.channel import Channel
from heedful.diet.intake.feeds import parse
from heedful.diet.intake.fetch import Answer, Limits, fetch
from heedful.diet.intake.folder import texts
from heedful.diet.intake.newsletter import letters
from heedful.diet.intake.page import linked, page_of
from heedful.diet.intake.retold import group
from heedful.diet.intake.take import Found, Taken, take
from heedful.diet.store.rows import Source
from heedful.diet.store.store import Store
from heedful.errors import DataError, HeedfulError

DAY: Final = 86400.0
WAITS: Final = (429, 503)
GONE: Final = 410
LOCAL: Final = ("folder", "newsletter")  # sources that no host answers for


@dataclass(frozen=True)
class Manners:
    """How sources are asked.

    Arguments:
        hosts: asked at once.
        pause: seconds between two documents of one host.
        often: seconds after which a source is asked again; twice as many after each failure.
        rarest: seconds that become of that at most.
    """

    hosts: int = 8
    pause: float = 1.0
    often: float = 3600.0
    rarest: float = 3 * DAY
    limits: Limits = field(default_factory=Limits)


class Heard(NamedTuple):
    """What asking one source came to: the source as it is to be kept, and what it said, if that is new."""

    source: Source
    channel: Channel | None


@dataclass(frozen=True)
class Polled:
    """What became of one source: how many items are new and changed; or why it failed."""

    source: Source
    new: int = 0
    changed: int = 0
    unchanged: bool = False

    @property
    def error(self) -> str:
        """One line, or empty."""
        return self.source.error


def due(store: Store, now: float) -> list[Source]:
    """The sources that may be asked now, those that waited longest first; what is on this machine may always be."""
    return sorted((one for one in store.sources(paused=False) if one.due <= now or one.kind in LOCAL), key=lambda one: one.due)


def poll(store: Store, now: float, sources: Sequence[Source] | None = None, manners: Manners = Manners()) -> Iterator[Polled]:
    """Ask sources, and keep what they say, one after the other as they answer; stories are put together at the end.

    Breaking it off loses nothing that was yielded; the rest is due still.

    Arguments:
        sources: these; those that are due, if None.
    """
    asked = due(store, now) if sources is None else list(sources)
    hosts: dict[str, list[Source]] = {}
    for source in asked:
        hosts.setdefault(host(source), []).append(source)
    heard: Queue[Heard] = Queue()
    stop = Event()
    with ThreadPoolExecutor(max(min(manners.hosts, len(hosts)), 1)) as pool:
        try:
            for some in hosts.values():
                pool.submit(ask, some, manners, now, heard, stop)
            for _ in asked:
                yield keep(store, heard.get(), now)
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
    group(store, now)


def host(source: Source) -> str:
    """Whom an asking troubles; files trouble nobody, all together."""
    return urlsplit(source.address).netloc if source.kind in ("feed", "page") else ""


def ask(sources: Sequence[Source], manners: Manners, now: float, heard: Queue[Heard], stop: Event) -> None:
    """The sources of one host, one by one."""
    for place, source in enumerate(sources):
        if stop.is_set() or (place and host(source) and stop.wait(manners.pause)):
            return
        try:
            heard.put(listen(source, manners, now))
        except Exception as error:  # a document that trips a parser must not leave the poll waiting for it for ever
            heard.put(Heard(failed(source, f"{type(error).__name__}: {error}"[:200], manners, now), None))


def listen(source: Source, manners: Manners, now: float) -> Heard:
    """What one source says now."""
    try:
        if source.kind == "folder":
            return Heard(well(source, manners, now), texts(Path(source.address)))
        if source.kind == "newsletter":
            return Heard(well(source, manners, now), letters(Path(source.address)))
        answer = fetch(source, manners.limits)
        if answer.status == 304:
            return Heard(well(source, manners, now, answer.wait), None)
        if answer.status != 200:
            return Heard(refused(source, answer, manners, now), None)
        channel = understood(source, answer)
    except HeedfulError as error:
        return Heard(failed(source, str(error), manners, now), None)
    told = replace(well(source, manners, now, answer.wait), etag=answer.etag, modified=answer.modified)
    return Heard(replace(told, address=canonical(answer.moved)) if answer.moved else told, channel)


def understood(source: Source, answer: Answer) -> Channel:
    """The document of a feed or a page."""
    if source.kind == "page":
        return page_of(answer.document, source.address, answer.content_type)
    try:
        return parse(answer.document, source.address, answer.content_type)
    except DataError as error:
        named = linked(answer.document, answer.address, answer.content_type)
        raise DataError(f"{error}; the page names {', '.join(named[:3])}" if named else str(error)) from error


def well(source: Source, manners: Manners, now: float, wait: float | None = None) -> Source:
    """A source that answered, asked again after the usual time, or after what its server says, a day at most."""
    return replace(source, failures=0, error="", due=now + min(max(manners.often, wait or 0.0), max(DAY, manners.often)))


def failed(source: Source, error: str, manners: Manners, now: float, wait: float | None = None) -> Source:
    """A source that failed, asked again after twice the time of the last failure, or after what its server asks for."""
    later = max(manners.often * 2.0 ** min(source.failures, 30), wait or 0.0)
    return replace(source, failures=source.failures + 1, error=" ".join(error.split())[:300], due=now + min(later, manners.rarest))


def refused(source: Source, answer: Answer, manners: Manners, now: float) -> Source:
    """A source whose server answered otherwise; one that is gone for good is paused."""
    if answer.status == GONE:
        return replace(failed(source, f"{source.address}: gone for good (410); it is paused", manners, now), paused=True)
    asked = "; it asks to be left alone for a while" if answer.status in WAITS else ""
    return failed(
        source, f"{source.address}: answered {answer.status}{asked}", manners, now, answer.wait if answer.status in WAITS else None
    )


def keep(store: Store, heard: Heard, now: float) -> Polled:
    """Into the store what a source said, and only then when it is asked again."""
    source, channel = heard
    try:
        before = store.source(source.id)
        moved = source.address != before.address
        if moved and any(one.address == source.address for one in store.sources()):
            source = replace(source, address=before.address)  # it moved to where another one is
        taken = take(store, [Found(source, channel)], now, grouped=False) if channel is not None else Taken()
        title = before.title or (channel.title[:200] if channel is not None else "")
        named = replace(source, title=title, topic=before.topic, viewpoint=before.viewpoint, paused=before.paused or source.paused)
        return Polled(store.change_source(named), len(taken.new), len(taken.changed), channel is None and not source.error)
    except HeedfulError as error:
        return Polled(replace(source, error=str(error)))
