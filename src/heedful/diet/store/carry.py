"""The whole store out to JSON lines and in again, and erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from heedful import atomic
from heedful.diet.store.engine import Engine
from heedful.diet.store.search import entries, reindex, reindexed
from heedful.diet.store.table import TABLES, Table, among, parts
from heedful.errors import DataError, HeedfulError, UsageError

FORMAT: Final = 1
FIRST: Final = "heedful diet store"
BATCH: Final = 500  # rows held at once


@dataclass(frozen=True)
class Erase:
    """What to erase.

    Arguments:
        everything: all rows of all tables.
        before: items taken in before then (seconds), and editions, feedback and notes of before then.
        source: a source by its id, with its items and what was said of them.
        untouched: of `before`, only items that nothing was said of, and that no edition showed; the rest stays.
    """

    everything: bool = False
    before: float | None = None
    source: int | None = None
    untouched: bool = False

    def __post_init__(self) -> None:
        if (self.everything + (self.before is not None) + (self.source is not None)) != 1 or (self.untouched and self.before is None):
            raise UsageError("erase one of: everything, what is before a time (or the untouched of it), or a source")


def export(engine: Engine, path: Path) -> dict[str, int]:
    """Every row on a line; the first line says what it is. The file is whole or not there."""
    counts = {table.name: 0 for table in TABLES}
    with engine.transaction(), atomic.replacing(path) as file:
        file.write((json.dumps({FIRST: FORMAT}) + "\n").encode())
        for table in TABLES:
            for row in all_rows(engine, table):
                counts[table.name] += 1
                file.write((json.dumps({"table": table.name} | row, ensure_ascii=False) + "\n").encode())
    return counts


def all_rows(engine: Engine, table: Table[Any]) -> Iterator[dict[str, Any]]:
    """The rows of a table, not all of them at once."""
    order = ", ".join(table.columns[:2]) if table.name in ("shown", "passed") else "name" if table.name == "setting" else "id"
    statement = f"SELECT {', '.join(table.all)} FROM {table.name} ORDER BY {order} LIMIT :limit OFFSET :offset"
    offset = 0
    while rows := engine.rows(statement, {"limit": BATCH, "offset": offset}):
        for row in rows:
            found = dict(zip(table.all, row, strict=True))
            yield found | {name: json.loads(found[name]) for name in table.json}
        offset += len(rows)


def restore(engine: Engine, path: Path) -> dict[str, int]:
    """Read an export into an empty store."""
    tables = {table.name: table for table in TABLES}
    counts = dict.fromkeys(tables, 0)
    with engine.transaction():
        if any(engine.rows(f"SELECT 1 FROM {name} LIMIT 1") for name in tables):
            raise UsageError(f"{engine.where} is not empty: an export is read into a new store, or after erasing everything")
        for number, line in lines(path):
            table = tables.get(str(line.pop("table", "")))
            if table is None or table.wrong(line):
                what = f"{table.name} without a right {table.wrong(line)}" if table else "no row of a store"
                raise DataError(f"{path}, line {number}: {what}: a file that `heedful diet export` wrote would work")
            row = line | {name: json.dumps(line[name], ensure_ascii=False, sort_keys=True) for name in table.json}
            try:
                engine.rows(table.restore, row)
            except (HeedfulError, ValueError, OverflowError) as error:
                raise DataError(f"{path}, line {number}: {error}: a file that `heedful diet export` wrote would work") from error
            counts[table.name] += 1
        for table in TABLES:
            if "id" in table.all or table.name == "feedback":
                engine.renumber(table.name)
        reindex(engine)
    return counts


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file with the numbers of their lines, after its first line is known."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                found = json.loads(line)
                if number == 1 and (not isinstance(found, dict) or found.get(FIRST) != FORMAT):
                    raise DataError(f"{path}: no export of a store in format {FORMAT}: a file that `heedful diet export` wrote would work")
                if not isinstance(found, dict):
                    raise DataError(f"{path}, line {number}: no row: an object in JSON would work")
                if number > 1:
                    yield number, found
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}: a file that `heedful diet export` wrote would work") from error
    except ValueError as error:
        raise DataError(f"{path}: neither text nor JSON lines ({error}): a file that `heedful diet export` wrote would work") from error


def erase(engine: Engine, what: Erase) -> None:
    """Erase, and leave nothing of it in the file."""
    with engine.transaction():
        if what.everything:
            for table in reversed(TABLES):
                engine.rows(f"DELETE FROM {table.name}")
            engine.rows("DELETE FROM kept")
            engine.clear_index()
        elif what.source is not None:
            drop(engine, [row[0] for row in engine.rows("SELECT id FROM item WHERE source = :source", {"source": what.source})])
            if not engine.rows("DELETE FROM source WHERE id = :source RETURNING id", {"source": what.source}):
                raise UsageError(f"no source {what.source}: `heedful diet sources` names them")
        elif what.before is not None:
            old(engine, what.before, what.untouched)
    engine.shrink()


def old(engine: Engine, before: float, untouched: bool) -> None:
    """Erase what is older than a time."""
    at = {"before": before}
    touched = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {name} WHERE {name}.item = item.id)" for name in ("feedback", "note", "shown"))
    drop(
        engine, [row[0] for row in engine.rows("SELECT id FROM item WHERE taken < :before" + (f" AND {touched}" if untouched else ""), at)]
    )
    if not untouched:
        engine.rows("DELETE FROM edition WHERE at < :before", at)
        engine.rows("DELETE FROM feedback WHERE at < :before", at)
        noted = [row[0] for row in engine.rows("SELECT DISTINCT item FROM note WHERE at < :before", at)]
        for some in parts(noted):
            with reindexed(engine, some):
                engine.rows("DELETE FROM note WHERE at < :before", at)


def drop(engine: Engine, items: list[int]) -> None:
    """Items out of the store and its index; a story is then told by the first item that is left of it."""
    for some in parts(items):
        engine.unindex(entries(engine, some))
        where, values = among("id", some)
        engine.rows(f"DELETE FROM item WHERE {where}", values)
    engine.rows(
        "UPDATE item SET story = (SELECT MIN(other.id) FROM item AS other WHERE other.story = item.story) "
        "WHERE NOT EXISTS (SELECT 1 FROM item AS told WHERE told.id = item.story)"
    )
