"""Items in and out: what is new, what changed, and which are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from heedful.diet.store.engine import Engine, Row
from heedful.diet.store.rows import DONE, Change, Head, Item, Which
from heedful.diet.store.search import reindexed
from heedful.diet.store.table import ITEM, among, parts

HEAD: Final = ITEM.select.replace("item.text,", "'',")  # a list without its texts does not read their pages
BRIEFLY: Final = f"SELECT {', '.join(f'item.{one}' for one in Head._fields)} FROM item"
CONTENT: Final = ("title", "text", "summary", "author", "published", "seconds", "media")


class Known(NamedTuple):
    """What is kept of an item that comes again."""

    id: int
    source: int
    filled: int
    item: Item


def add(engine: Engine, items: Sequence[Item]) -> Change:
    """Keep items by their address: a new one, or an update by the source that brought it first (others would only take turns)."""
    new: list[int] = []
    changed: list[int] = []
    same: list[int] = []
    with engine.transaction():
        for some in parts(list({item.address: item for item in items}.values())):
            known = kept(engine, [item.address for item in some])
            updates = {}
            for item in some:
                if item.address not in known:
                    new.append(inserted(engine, item))
                elif (now := updated(known[item.address], item)) is not None:
                    updates[now.id] = now
                    changed.append(now.id)
                else:
                    same.append(known[item.address].id)
            with reindexed(engine, list(updates)):
                engine.many(ITEM.update, [ITEM.encode(item) for item in updates.values()])
        engine.rows("UPDATE item SET story = id WHERE story = 0")
        for some_new in parts(new):
            with reindexed(engine, some_new, before=False):
                pass
    return Change(tuple(new), tuple(changed), tuple(same))


def kept(engine: Engine, addresses: Sequence[str]) -> dict[str, Known]:
    """Those of the addresses that the store has."""
    where, values = among("address", addresses)
    rows = engine.rows(f"{ITEM.select.replace(' FROM', ', item.filled FROM')} WHERE {where}", values)
    items = [(ITEM.decode(row[:-1]), row[-1]) for row in rows]
    return {item.address: Known(item.id, item.source, filled, item) for item, filled in items}


def inserted(engine: Engine, item: Item) -> int:
    """The number of a new item."""
    dated = replace(item, published=item.published or item.taken)
    return int(engine.rows(ITEM.insert, ITEM.encode(dated))[0][0])


def updated(known: Known, item: Item) -> Item | None:
    """The item as it is to be kept, or None if there is nothing to change."""
    old = known.item
    if item.source != known.source:
        return None
    now = replace(item, id=old.id, taken=old.taken, story=old.story, published=item.published or old.published)
    if known.filled:
        now = replace(now, text=old.text, words=old.words, characters=old.characters, depth=old.depth)
    changed = any(vars(now)[name] != vars(old)[name] for name in CONTENT)
    return now if changed else None


def listed(engine: Engine, which: Which) -> list[Item]:
    """The items that are asked for, the newest first; by their ids, in the order of these."""
    return [ITEM.decode(row) for row in rows(engine, which, ITEM.select if which.whole else HEAD)]


def heads(engine: Engine, which: Which) -> list[Head]:
    """The heads of the same items, in the same order."""
    return [Head._make(row) for row in rows(engine, which, BRIEFLY)]


def rows(engine: Engine, which: Which, select: str) -> list[Row]:
    """Rows, the id first, of the items that are asked for."""
    if which.ids is not None:
        found: dict[int, Row] = {}
        for some in parts(list(which.ids)):
            condition, values = among("item.id", some)
            found.update({int(row[0]): row for row in chosen(engine, which, select, [condition], values)})
        return [found[one] for one in dict.fromkeys(which.ids) if one in found][: which.limit]
    return chosen(engine, which, select, [], {})


def chosen(engine: Engine, which: Which, select: str, conditions: Sequence[str], values: Mapping[str, object]) -> list[Row]:
    """The rows under all conditions."""
    asked = {"since": which.since, "until": which.until, "source": which.source}
    named = {"since": "item.taken >= :since", "until": "item.taken < :until", "source": "item.source = :source"}
    every = [*conditions, *(named[name] for name, value in asked.items() if value is not None)]
    if which.unread:
        kinds = ", ".join(f"'{kind}'" for kind in DONE)
        every.append(f"NOT EXISTS (SELECT 1 FROM feedback WHERE feedback.item = item.id AND kind IN ({kinds}))")
    statement = select + (f" WHERE {' AND '.join(every)}" if every else "")
    statement += " ORDER BY item.taken DESC, item.published DESC, item.id DESC"
    named_values = {**values, **{name: value for name, value in asked.items() if value is not None}}
    if which.limit is not None and which.ids is None:
        statement, named_values["limit"] = statement + " LIMIT :limit", which.limit
    return engine.rows(statement, named_values)
