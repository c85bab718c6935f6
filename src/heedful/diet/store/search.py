"""Items found by their words and by those of the notes on them, each with where it is or why the newest edition left it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from heedful.diet.store.engine import Engine, Entry
from heedful.diet.store.rows import Hit, Item
from heedful.diet.store.snippet import snippet
from heedful.diet.store.table import ITEM, among, parts
from heedful.diet.store.words import Query, indexed, query


@contextmanager
def reindexed(engine: Engine, items: Sequence[int], before: bool = True) -> Iterator[None]:
    """What is done to items inside is found afterwards, in one transaction; `before` False for items that are not in the index yet."""
    with engine.transaction():
        if before:
            engine.unindex(entries(engine, items))
        yield
        engine.index(entries(engine, items))


def entries(engine: Engine, items: Sequence[int]) -> list[Entry]:
    """The words of items as they are now; of those that are no more, nothing."""
    if not items:
        return []
    notes = noted(engine, items)
    where, values = among("id", items)
    rows = engine.rows(f"SELECT id, title, author, summary, text FROM item WHERE {where} ORDER BY id", values)
    return [
        Entry(item, indexed(title), indexed(f"{author}\n{text or summary}"), indexed(notes.get(item, "")))
        for item, title, author, summary, text in rows
    ]


def reindex(engine: Engine) -> None:
    """The whole index anew."""
    with engine.transaction():
        engine.clear_index()
        for some in parts([row[0] for row in engine.rows("SELECT id FROM item ORDER BY id")]):
            engine.index(entries(engine, some))


def search(engine: Engine, text: str, limit: int, offset: int) -> list[Hit]:
    """The best first."""
    asked = query(text)
    found: list[Hit] = []
    for some in parts(engine.matches(asked, limit, offset)):
        ids = [item for item, _ in some]
        where, values = among("item.id", ids)
        items = {item.id: item for item in (ITEM.decode(row) for row in engine.rows(f"{ITEM.select} WHERE {where}", values))}
        standing, notes = Standing.of(engine, ids), noted(engine, ids)
        found.extend(hit(items[item], notes.get(item, ""), asked, rank, standing) for item, rank in some if item in items)
    return found


def noted(engine: Engine, items: Sequence[int]) -> dict[int, str]:
    """All that is noted on items."""
    where, values = among("item", items)
    found: dict[int, str] = {}
    for item, quote, text in engine.rows(f"SELECT item, quote, text FROM note WHERE {where} ORDER BY id", values):
        found[item] = f"{found.get(item, '')}\n{quote}\n{text}".strip()
    return found


class Standing(NamedTuple):
    """Where items stand: the newest edition they are in, why the newest edition left them out, and that edition."""

    shown: Mapping[int, int]
    passed: Mapping[int, str]
    newest: tuple[int, str, float] | None

    @classmethod
    def of(cls, engine: Engine, items: Sequence[int]) -> Standing:
        """As the store has it."""
        where, values = among("item", items)
        shown = engine.rows(f"SELECT item, MAX(edition) FROM shown WHERE {where} GROUP BY item", values)
        passed = engine.rows(f"SELECT item, reason FROM passed WHERE {where} ORDER BY edition", values)
        newest = engine.rows("SELECT id, day, at FROM edition ORDER BY id DESC LIMIT 1")
        last = (newest[0][0], newest[0][1], newest[0][2]) if newest else None
        return cls({row[0]: row[1] for row in shown}, {row[0]: row[1] for row in passed}, last)

    def why(self, item: Item) -> str:
        """Why it is not in the newest edition; empty where it is, and before there was one."""
        if self.newest is None or self.shown.get(item.id) == self.newest[0]:
            return ""
        if item.id in self.passed:
            return self.passed[item.id]
        if item.id in self.shown:
            return "in an earlier edition"
        _, day, at = self.newest
        return f"came in after the edition of {day} was made" if item.taken > at else f"not weighed for the edition of {day}"


def hit(item: Item, notes: str, asked: Query, rank: float, standing: Standing) -> Hit:
    """A found item without its text, with the place where its words stand: in the text, else in a note, else in the title."""
    tried = (item.text or item.summary, notes, item.title, item.author)
    cuts = [snippet(text, asked) for text in tried]
    cut = next((one for one in cuts if one.spans), cuts[0])
    light = replace(item, text="")
    return Hit(light, cut.text, cut.spans, rank, standing.why(item), standing.shown.get(item.id))
