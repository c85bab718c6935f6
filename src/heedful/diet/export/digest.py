"""A week in Markdown: what was worth it, highlights and notes, and the label."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from heedful.diet.day.piece import DAY
from heedful.diet.label.label import Label, label
from heedful.diet.label.picture import summary
from heedful.diet.store.rows import Item, Note, Which
from heedful.diet.store.store import Store
from heedful.errors import UsageError


def digest(store: Store, now: float, days: int = 7) -> str:
    """The last days in Markdown.

    Raises `UsageError` for no days.
    """
    if not 1 <= days <= 366:
        raise UsageError(f"--days is {days}: 1 to 366 would work")
    since = now - days * DAY
    last = datetime.fromtimestamp(now).date()
    first = last - timedelta(days=days - 1)
    said = [
        one
        for one in store.feedback(since=since)
        if one.kind in ("worth", "saved", "revisited") or (one.kind == "rated" and one.value >= 4)
    ]
    ids = list(dict.fromkeys(one.item for one in said))
    notes = store.notes(since=since)
    items = {item.id: item for item in store.items(Which(ids=sorted({*ids, *(note.item for note in notes)})))}
    parts = [f"# {first} to {last}", *figures(label(store, "day" if days == 1 else "week" if days <= 7 else "month", now))]
    parts.append("## Worth the time")
    parts += [line(items[id]) for id in ids if id in items] or ["Nothing was called worth it."]
    parts.append("## Highlights and notes")
    noted = list(dict.fromkeys(note.item for note in notes))
    parts += [
        part for id in noted if id in items for part in (f"### {link(items[id])}", *written([note for note in notes if note.item == id]))
    ] or ["None."]
    return "\n\n".join(parts) + "\n"


def notes_of(store: Store, item: Item) -> str:
    """An item's highlights and notes in Markdown."""
    return "\n\n".join([f"# {link(item)}", *written(store.notes(item.id))]) + "\n"


def written(notes: Sequence[Note]) -> list[str]:
    """Highlights as quotations, notes as paragraphs."""
    found = []
    for note in notes:
        if note.quote:
            found.append("\n".join(f"> {one}" for one in note.quote.splitlines()))
        if note.text:
            found.append(note.text)
    return found


def figures(found: Label) -> list[str]:
    """The label's figures and its topics."""
    lines = [f"- {one}" for one in summary(found)]
    topics = [f"| {plain(name)} | {minutes:.0f} |" for name, minutes in found.by["topic"].items()]
    return ["\n".join(lines), *(["\n".join(["| topic | minutes |", "|---|---:|", *topics])] if topics else [])]


def line(item: Item) -> str:
    """An item as one of a list."""
    return f"- {link(item)}" + (f" ({plain(item.topic)})" if item.topic else "")


def link(item: Item) -> str:
    """Its title, leading to its page where it has one."""
    title = plain(item.title or item.address)
    return f"[{title}](<{item.address}>)" if item.address.startswith(("http://", "https://")) else title


def plain(text: str) -> str:
    """Text that Markdown takes for nothing but text.

    >>> plain("a [b] | *c*")
    'a \\\\[b\\\\] \\\\| \\\\*c\\\\*'
    """
    return "".join(f"\\{sign}" if sign in "\\[]|*_`<>#" else sign for sign in " ".join(text.split()))
