"""The store: one door to what is kept, whatever database keeps it.

>>> with open_store(":memory:") as store:
...     source = store.add_source(Source(address="https://example.org/feed.xml"))
...     _ = store.add_items([Item(source=source.id, address="https://example.org/1", title="On reading", text="我爱读书")])
...     [hit.item.title for hit in store.search("读书")]
['On reading']
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from heedful.diet.store import carry, items, search
from heedful.diet.store.carry import Erase
from heedful.diet.store.engine import Engine
from heedful.diet.store.rows import FEEDBACK, NOTES, SOURCES, Change, Feedback, Head, Hit, Item, Made, Note, Shown, Source, Which
from heedful.diet.store.sqlite import SQLite
from heedful.diet.store.table import EDITION, ITEM, NOTE, PASSED, SHOWN, SOURCE, TABLES
from heedful.diet.store.table import FEEDBACK as FEEDBACK_TABLE
from heedful.errors import UsageError, unknown


def open_store(where: Path | str) -> Store:
    """The store at a path (SQLite, made where there is none) or at an address `postgresql://user@host/name`.

    Raises `DataError` for a file that is damaged, no store, or of a newer Heedful; `MissingExtra` without PostgreSQL's packages.
    """
    if isinstance(where, str) and where.split("://")[0] in ("postgresql", "postgres", "postgresql+psycopg"):
        from heedful.diet.store.postgres import Postgres

        return Store(Postgres(where))
    if isinstance(where, str) and "://" in where:
        raise UsageError(f"{where}: no store: a path would work, or postgresql://user@host/name")
    return Store(SQLite(Path(where).expanduser()))


class Store:
    """Sources, items, feedback, editions, notes and settings; every method is one transaction, threads may share it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """No more of it."""
        self.engine.close()

    @property
    def where(self) -> str:
        """Its path or address."""
        return self.engine.where

    # sources

    def sources(self, paused: bool | None = None) -> list[Source]:
        """Those that are followed, in the order they were added; only paused ones, or only the others, if asked."""
        condition = "" if paused is None else f" AND paused = {int(paused)}"
        return [SOURCE.decode(row) for row in self.engine.rows(f"{SOURCE.select} WHERE gone = 0{condition} ORDER BY id")]

    def source(self, id: int) -> Source:
        """One source, also one that is no longer followed. Raises `UsageError` for a number that is none."""
        return SOURCE.decode(self.found("source", f"{SOURCE.select} WHERE id = :id", id))

    def add_source(self, source: Source) -> Source:
        """Follow a source; one of the same address that is kept already is followed (again) as it is."""
        if source.kind not in SOURCES:
            raise unknown("kind of source", source.kind, SOURCES)
        if not source.address:
            raise UsageError("a source without an address: the address of a feed or page, or the path of a folder or file, would work")
        with self.engine.transaction():
            kept = self.engine.rows(f"{SOURCE.select} WHERE address = :address", {"address": source.address})
            if kept:
                self.engine.rows("UPDATE source SET gone = 0 WHERE id = :id", {"id": kept[0][0]})
                return SOURCE.decode(kept[0])
            return replace(source, id=int(self.engine.rows(SOURCE.insert, SOURCE.encode(source))[0][0]))

    def change_source(self, source: Source) -> Source:
        """Keep a source as it is given, by its id."""
        with self.engine.transaction():
            self.source(source.id)
            taken = self.engine.rows("SELECT id FROM source WHERE address = :address AND id <> :id", vars(source))
            if taken:
                raise UsageError(f"{source.address} is source {taken[0][0]} already: another address would work")
            self.engine.rows(SOURCE.update, SOURCE.encode(source))
        return source

    def remove_source(self, id: int) -> None:
        """Follow a source no longer; its items stay, under its name (`erase` takes these away too)."""
        with self.engine.transaction():
            self.source(id)
            self.engine.rows("UPDATE source SET gone = 1 WHERE id = :id", {"id": id})

    # items

    def add_items(self, items_: Sequence[Item]) -> Change:
        """Keep items by their address; one that is kept is updated by the source that brought it first."""
        known = {row[0] for row in self.engine.rows("SELECT id FROM source")}
        for item in items_:
            if item.source not in known or not item.address:
                raise UsageError(
                    f"item {item.title[:60]!r} of source {item.source} at {item.address!r}: a kept source and an address would work"
                )
        return items.add(self.engine, items_)

    def fill_item(self, id: int, text: str, words: int, characters: int, depth: str) -> Item:
        """Give an item its whole text, read from its page; what its feed says of it later does not shorten it again."""
        with self.engine.transaction():
            self.item(id)
            with search.reindexed(self.engine, [id]):
                statement = """UPDATE item SET text = :text, words = :words, characters = :characters, depth = :depth, filled = 1
                    WHERE id = :id"""
                self.engine.rows(statement, {"id": id, "text": text, "words": words, "characters": characters, "depth": depth})
            return self.item(id)

    def items(self, which: Which = Which()) -> list[Item]:  # noqa: B008 - frozen
        """The items that are asked for, the newest first, without their texts unless `which.whole`."""
        return items.listed(self.engine, which)

    def heads(self, which: Which = Which()) -> list[Head]:  # noqa: B008 - frozen
        """The same items without their words, in a fifth of the time."""
        return items.heads(self.engine, which)

    def item(self, id: int) -> Item:
        """One item with its text. Raises `UsageError` for a number that is none."""
        return ITEM.decode(self.found("item", f"{ITEM.select} WHERE id = :id", id))

    def story(self, story: int) -> list[Item]:
        """The items that tell one story, the first that did first."""
        return [ITEM.decode(row) for row in self.engine.rows(f"{items.HEAD} WHERE story = :story ORDER BY id", {"story": story})]

    def tell(self, stories: Mapping[int, int], name: str, data: Mapping[int, bytes]) -> None:
        """Put items to the stories that they tell, and keep by what that was seen, at once."""
        with self.engine.transaction():
            self.engine.many("UPDATE item SET story = :story WHERE id = :id", [{"id": id, "story": story} for id, story in stories.items()])
            self.keep(name, data)

    def search(self, text: str, limit: int = 20, offset: int = 0) -> list[Hit]:
        """Items with all the words (`"side by side"`, `-without`) in title, text, author or notes, the best first.

        Raises `UsageError` where there is no word to look for.
        """
        if limit < 1 or offset < 0:
            raise UsageError(f"limit {limit} and offset {offset}: 1 and more, and 0 and more, would work")
        return search.search(self.engine, text, limit, offset)

    # feedback

    def add_feedback(self, feedback: Feedback) -> None:
        """Keep what the reader did or said."""
        if feedback.kind not in FEEDBACK:
            raise unknown("kind of feedback", feedback.kind, FEEDBACK)
        with self.engine.transaction():
            self.item(feedback.item)
            self.engine.rows(FEEDBACK_TABLE.insert, FEEDBACK_TABLE.encode(feedback))

    def feedback(self, item: int | None = None, since: float | None = None) -> list[Feedback]:
        """What was done and said, the oldest first."""
        asked = {name: value for name, value in (("item", item), ("since", since)) if value is not None}
        where = " AND ".join({"item": "item = :item", "since": "at >= :since"}[name] for name in asked)
        statement = FEEDBACK_TABLE.select + (f" WHERE {where}" if where else "") + " ORDER BY at, id"
        return [FEEDBACK_TABLE.decode(row) for row in self.engine.rows(statement, asked)]

    def remove_feedback(self, item: int, kind: str) -> int:
        """Take one kind of feedback on an item back; how many there were."""
        if kind not in FEEDBACK:
            raise unknown("kind of feedback", kind, FEEDBACK)
        gone = self.engine.rows("DELETE FROM feedback WHERE item = :item AND kind = :kind RETURNING id", {"item": item, "kind": kind})
        return len(gone)

    # editions

    def add_edition(self, made: Made, shown: Sequence[Shown], passed: Mapping[int, str] | None = None) -> Made:
        """Keep an edition, its items, and why others are not in it (for the newest edition only: older reasons go)."""
        with self.engine.transaction():
            edition = int(self.engine.rows(EDITION.insert, EDITION.encode(made))[0][0])
            self.engine.many(SHOWN.insert, [SHOWN.encode(replace(one, edition=edition)) for one in shown])
            self.engine.rows("DELETE FROM passed")
            reasons = sorted((passed or {}).items())  # in the order of their items: the database goes through these once
            self.engine.many(PASSED.insert, [{"edition": edition, "item": item, "reason": why} for item, why in reasons])
        return replace(made, id=edition)

    def editions(self, since: str = "", limit: int | None = None) -> list[Made]:
        """The editions of a day and later ("2026-11-21"), the newest first."""
        statement = f"{EDITION.select} WHERE day >= :since ORDER BY day DESC, id DESC" + ("" if limit is None else " LIMIT :limit")
        return [EDITION.decode(row) for row in self.engine.rows(statement, {"since": since} | ({} if limit is None else {"limit": limit}))]

    def edition(self, day: str) -> Made | None:
        """The newest edition of a day."""
        rows = self.engine.rows(f"{EDITION.select} WHERE day = :day ORDER BY id DESC LIMIT 1", {"day": day})
        return EDITION.decode(rows[0]) if rows else None

    def shown(self, edition: int) -> list[Shown]:
        """The items of an edition in their places."""
        rows = self.engine.rows(f"{SHOWN.select} WHERE edition = :edition ORDER BY place", {"edition": edition})
        return [SHOWN.decode(row) for row in rows]

    def passed(self, edition: int) -> dict[int, str]:
        """Why items are not in the newest edition."""
        rows = self.engine.rows("SELECT item, reason FROM passed WHERE edition = :id", {"id": edition})
        return {item: why for item, why in rows}  # noqa: C416 - rows are of any length

    # notes

    def add_note(self, note: Note) -> Note:
        """Keep a highlight or a note with its item; it is searched from now on."""
        if note.kind not in NOTES:
            raise unknown("kind of note", note.kind, NOTES)
        with self.engine.transaction():
            self.item(note.item)
            with search.reindexed(self.engine, [note.item]):
                return replace(note, id=int(self.engine.rows(NOTE.insert, NOTE.encode(note))[0][0]))

    def change_note(self, note: Note) -> Note:
        """Keep a note as it is given, by its id; it stays with its item."""
        with self.engine.transaction():
            kept = NOTE.decode(self.found("note", f"{NOTE.select} WHERE id = :id", note.id))
            now = replace(note, item=kept.item)
            with search.reindexed(self.engine, [kept.item]):
                self.engine.rows(NOTE.update, NOTE.encode(now))
        return now

    def remove_note(self, id: int) -> None:
        """Take a note away. Raises `UsageError` for a number that is none."""
        with self.engine.transaction():
            kept = NOTE.decode(self.found("note", f"{NOTE.select} WHERE id = :id", id))
            with search.reindexed(self.engine, [kept.item]):
                self.engine.rows("DELETE FROM note WHERE id = :id", {"id": id})

    def notes(self, item: int | None = None, since: float | None = None) -> list[Note]:
        """Highlights and notes, the oldest first."""
        asked = {name: value for name, value in (("item", item), ("since", since)) if value is not None}
        where = " AND ".join({"item": "item = :item", "since": "at >= :since"}[name] for name in asked)
        rows = self.engine.rows(NOTE.select + (f" WHERE {where}" if where else "") + " ORDER BY at, id", asked)
        return [NOTE.decode(row) for row in rows]

    # settings, and bytes that can be made again

    def setting(self, name: str, default: Any = None) -> Any:
        """What was set, or the default."""
        rows = self.engine.rows("SELECT value FROM setting WHERE name = :name", {"name": name})
        return json.loads(rows[0][0]) if rows else default

    def set_setting(self, name: str, value: Any) -> None:
        """Set anything that JSON can say."""
        statement = "INSERT INTO setting (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self.engine.rows(statement, {"name": name, "value": json.dumps(value, ensure_ascii=False)})

    def settings(self) -> dict[str, Any]:
        """All of them."""
        return {name: json.loads(value) for name, value in self.engine.rows("SELECT name, value FROM setting ORDER BY name")}

    def keep(self, name: str, data: Mapping[int, bytes]) -> None:
        """Keep bytes with items (vectors, signatures): gone with the item, and not exported."""
        statement = """INSERT INTO kept (name, item, data) VALUES (:name, :item, :data)
            ON CONFLICT (name, item) DO UPDATE SET data = excluded.data"""
        self.engine.many(statement, [{"name": name, "item": item, "data": one} for item, one in data.items()])

    def kept(self, name: str, since: float | None = None) -> dict[int, bytes]:
        """The bytes by item, of items taken in since then."""
        statement = (
            "SELECT kept.item, kept.data FROM kept JOIN item ON item.id = kept.item WHERE kept.name = :name AND item.taken >= :since"
        )
        lowest = -1e300 if since is None else since
        return {item: bytes(data) for item, data in self.engine.rows(statement, {"name": name, "since": lowest})}

    # the whole

    def counts(self) -> dict[str, int]:
        """Rows by table."""
        return {table.name: int(self.engine.rows(f"SELECT COUNT(*) FROM {table.name}")[0][0]) for table in TABLES}

    def export(self, path: Path) -> dict[str, int]:
        """Write everything to a file of JSON lines that `import_` reads; rows by table."""
        return carry.export(self.engine, path)

    def import_(self, path: Path) -> dict[str, int]:
        """Read an export into an empty store, all of it or nothing. Raises `DataError` with the line that is wrong."""
        return carry.restore(self.engine, path)

    def erase(self, what: Erase) -> dict[str, int]:
        """Erase for good, also from the free room of the file; rows that went, by table."""
        before = self.counts()
        carry.erase(self.engine, what)
        return {name: before[name] - left for name, left in self.counts().items()}

    def found(self, kind: str, statement: str, id: int) -> Sequence[Any]:
        """The row of a number."""
        rows = self.engine.rows(statement, {"id": id})
        if not rows:
            low, high = self.engine.rows(f"SELECT MIN(id), MAX(id) FROM {kind}")[0]
            raise UsageError(f"no {kind} {id}: " + ("there is none at all yet" if low is None else f"one of {low} to {high} would work"))
        return rows[0]
