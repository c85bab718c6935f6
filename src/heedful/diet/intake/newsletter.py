"""Newsletters: a message (.eml), a mailbox (.mbox), or a folder of either, by the standard library."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Literal

from heedful.diet.intake.channel import Channel, Entry, language
from heedful.diet.intake.markup import line, plain, tidy
from heedful.errors import DataError

ENDINGS: Final = (".eml", ".mbox")
KINDS: Final[tuple[Literal["html", "plain"], ...]] = ("html", "plain")
LARGEST: Final = 20_000_000  # bytes of a message
MOST: Final = 20_000  # messages


def letters(path: Path) -> Channel:
    """The messages of a file or folder.

    Raises `DataError` for what is no message and no mailbox.
    """
    if not path.exists():
        raise DataError(f"{path}: not found: a message (.eml), a mailbox (.mbox), or a folder of these would work")
    files = sorted(one for one in path.rglob("*") if one.suffix.lower() in ENDINGS) if path.is_dir() else [path]
    entries: list[Entry] = []
    for file in files:
        entries.extend(entry(message) for message in messages(file))
    if not entries:
        raise DataError(f"{path}: no message in it: a message (.eml), a mailbox (.mbox), or a folder of these would work")
    return Channel(title=entries[0].author if len({one.author for one in entries}) == 1 else path.stem, entries=tuple(entries[:MOST]))


def messages(file: Path) -> Iterator[EmailMessage]:
    """The messages of one file."""
    try:
        with file.open("rb") as opened:
            start = opened.read(5)
        if start == b"From ":
            with closing(mailbox.mbox(file, create=False)) as box:
                for key in box.iterkeys():
                    yield message(box.get_bytes(key))
        elif file.suffix.lower() != ".mbox" and file.stat().st_size <= LARGEST:
            yield message(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: {error.strerror or error}: a message (.eml) or a mailbox (.mbox) would work") from error


def message(document: bytes) -> EmailMessage:
    """A message of its bytes. Raises `DataError` where it has neither a sender nor a subject."""
    found = message_from_bytes(document, policy=policy.default)
    if not isinstance(found, EmailMessage) or not (head(found, "From") or head(found, "Subject")):
        raise DataError("no message: a file that begins with headers (From:, Subject:) would work")
    return found


def entry(message: EmailMessage) -> Entry:
    """A message as an entry: its HTML if it has any, for that is what is kept up; else its text."""
    text = ""
    for kind in KINDS:
        part = message.get_body((kind,))
        if isinstance(part, EmailMessage) and not text:
            content = written(part)
            text = plain(content) if kind == "html" else tidy(content)
    title = line(head(message, "Subject"))
    key = head(message, "Message-ID").strip() or f"{head(message, 'Date')} {title}"
    author = line(head(message, "From").split("<")[0].strip().strip('"')) or head(message, "From").strip("<> ")
    return Entry(
        key=key,
        title=title,
        text=text,
        summary=text[:400],
        author=author,
        published=date(head(message, "Date")),
        language=language(head(message, "Content-Language"), f"{title}\n{text}"),
    )


def head(message: EmailMessage, name: str) -> str:
    """A header; what the library cannot parse is none."""
    try:
        return str(message.get(name) or "")
    except (ValueError, IndexError, AttributeError, TypeError):  # python/cpython issues with headers of odd forms
        return ""


def written(part: EmailMessage) -> str:
    """The letters of a part, whatever it says of its encoding."""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        data = part.get_payload(decode=True)
        return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def date(said: str) -> float:
    """Seconds of a date as mail writes it, 0 where it is none."""
    try:
        return max(parsedate_to_datetime(said).timestamp(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return 0.0
