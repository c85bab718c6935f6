"""Notes, and highlights that stand where their words stand in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from heedful.diet.store.rows import Note
from heedful.diet.store.store import Store
from heedful.errors import UsageError


class Span(NamedTuple):
    """A piece of text, and the highlight it is part of (0 for none)."""

    text: str
    note: int


def add_note(store: Store, item: int, text: str, now: float) -> Note:
    """Keep a note. Raises `UsageError` for an empty one."""
    if not text.strip():
        raise UsageError("an empty note: words would work")
    return store.add_note(Note(item=item, kind="note", text=text.strip(), at=now))


def add_highlight(store: Store, item: int, quote: str, text: str, now: float) -> Note:
    """Keep a highlight. Raises `UsageError` for words that do not stand in the item."""
    one = store.item(item)
    found = place(one.text or one.summary, quote)
    if found is None:
        raise UsageError(f"{quote[:60]!r} does not stand in item {item}: words as they stand in its text would work")
    body = one.text or one.summary
    return store.add_note(Note(item=item, kind="highlight", quote=body[found[0] : found[1]], text=text.strip(), at=now))


def place(text: str, quote: str) -> tuple[int, int] | None:
    """Where words stand in a text, however they are broken into lines.

    >>> place("a long\\nriver runs", "long river")
    (2, 12)
    """
    parts = quote.split()
    if not parts:
        return None
    found = re.search(r"\s+".join(map(re.escape, parts)), text)
    return found.span() if found else None


def spans(text: str, notes: Sequence[Note]) -> list[Span]:
    """A text in pieces, each with the highlight it belongs to; where two overlap the earlier one has it.

    >>> spans("one two three", [Note(id=7, kind="highlight", quote="two")])
    [Span(text='one ', note=0), Span(text='two', note=7), Span(text=' three', note=0)]
    """
    places = sorted((*found, note.id) for note in notes if note.quote and (found := place(text, note.quote)))
    pieces, at = [], 0
    for start, end, id in places:
        if start < at:
            continue
        pieces += [Span(text[at:start], 0), Span(text[start:end], id)]
        at = end
    return [one for one in [*pieces, Span(text[at:], 0)] if one.text]
