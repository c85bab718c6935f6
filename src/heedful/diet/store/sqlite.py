"""The store in one file: SQLite with a write-ahead log, so that readers and one writer do not wait for each other, and FTS5."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock
from typing import ClassVar, Final

from heedful.diet.store.engine import Engine, Entry, Row
from heedful.diet.store.rows import Head
from heedful.diet.store.schema import MIGRATIONS
from heedful.diet.store.words import Query, Term
from heedful.errors import DataError, HeedfulError, UsageError

OURS: Final = 0x48454544  # "HEED", the application id of our files
WAIT: Final = 30.0  # seconds for another process's writing
# an index that holds whole heads: 20,000 of them are read without touching the pages of their texts
TYPES: Final = {"id": "INTEGER PRIMARY KEY", "real": "REAL", "bytes": "BLOB", "head": ", ".join(Head._fields[1:])}
DAMAGE: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")
# Words are told apart by words.py; `ascii` lets every other letter stand. Without a copy of the text, which stands in `item`.
SEARCHED: Final = "CREATE VIRTUAL TABLE searched USING fts5(title, body, notes, content='', tokenize='ascii', prefix='1')"
RANKED: Final = "INSERT INTO searched(searched, rank) VALUES ('rank', 'bm25(4.0, 1.0, 2.0)')"


class SQLite(Engine):
    """One file, one connection, one statement at a time; threads may share it, and processes the file.

    The right to write is taken when a transaction begins, so that no two writers wait for each other in a circle.

    Raises `DataError` for a file that is damaged, no store, or written by a newer Heedful.
    """

    begin: ClassVar[str] = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
        self.where, self.path, self.migrations = str(path), path, migrations
        self.lock, self.depth = RLock(), 0
        if path.is_dir():
            raise DataError(f"{path}: a folder: the path of a file would work, {path / 'diet.sqlite'} for one")
        with self.told():
            if self.where != ":memory:":
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    path.touch(mode=0o600)  # what somebody reads is nobody else's business
            self.base = sqlite3.connect(self.where, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            self.prepare()
        except BaseException:
            self.base.close()
            raise

    def prepare(self) -> None:
        """Look at what the file is before anything is written to it; make its tables, or bring them up to date."""
        version, ours = self.number("user_version"), self.number("application_id") == OURS
        if not ours and self.rows("SELECT 1 FROM sqlite_master LIMIT 1"):
            raise DataError(f"{self.where}: a database of another program: the path of a new file would work")
        if version > len(self.migrations):
            known = len(self.migrations)
            raise DataError(f"{self.where}: format {version}, written by a newer Heedful; this one reads up to {known}: update Heedful")
        self.rows("PRAGMA journal_mode = WAL")
        for said in ("foreign_keys = ON", "synchronous = NORMAL", "secure_delete = ON", "temp_store = MEMORY", "cache_size = -32000"):
            self.rows(f"PRAGMA {said}")
        if version < len(self.migrations):
            self.migrate(version)

    def migrate(self, version: int) -> None:
        """Every step in one transaction, after a copy of the file as it was."""
        if version:
            self.copy(self.path.with_name(f"{self.path.name}.format{version}"))
        with self.transaction():
            version = self.number("user_version")  # another process may have been quicker
            if not version:
                for statement in (SEARCHED, RANKED, f"PRAGMA application_id = {OURS}"):
                    self.rows(statement)
            for step in self.migrations[version:]:
                for statement in step:
                    self.rows(statement.format(**TYPES))
            self.rows(f"PRAGMA user_version = {len(self.migrations)}")

    def copy(self, path: Path) -> None:
        """The whole as it is now, in another file, as private as it is."""
        with self.told():
            path.touch(mode=0o600)
        with self.told(), closing(sqlite3.connect(path)) as other:
            self.base.backup(other)

    def number(self, name: str) -> int:
        """A number that the file says of itself."""
        return int(self.rows(f"PRAGMA {name}")[0][0])

    def rows(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """What a statement gives."""
        with self.lock, self.told():
            return self.base.execute(statement, values or {}).fetchall()

    def many(self, statement: str, values: Sequence[Mapping[str, object]]) -> None:
        """One statement for each of the values."""
        with self.transaction(), self.told():
            self.base.executemany(statement, values)

    @property
    def returns(self) -> bool:
        """Whether there is a transaction to undo; some errors end it."""
        return self.base.in_transaction

    @contextmanager
    def told(self) -> Iterator[None]:
        """What went wrong in one line."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise said(self.where, error) from error
        except OSError as error:
            raise HeedfulError(f"{self.where}: {error.strerror or error}") from error
        except (UnicodeError, OverflowError) as error:
            raise UsageError(f"{self.where}: nothing that can be kept ({error})") from error

    def index(self, entries: Sequence[Entry]) -> None:
        """Make items found by their words."""
        self.many(
            "INSERT INTO searched (rowid, title, body, notes) VALUES (:item, :title, :body, :notes)", [one._asdict() for one in entries]
        )

    def unindex(self, entries: Sequence[Entry]) -> None:
        """Make items found no more: an index without a copy of the text wants to be told what it was."""
        statement = "INSERT INTO searched (searched, rowid, title, body, notes) VALUES ('delete', :item, :title, :body, :notes)"
        self.many(statement, [one._asdict() for one in entries])

    def clear_index(self) -> None:
        """Make nothing found."""
        self.rows("INSERT INTO searched (searched) VALUES ('delete-all')")

    def matches(self, query: Query, limit: int, offset: int) -> list[tuple[int, float]]:
        """By BM25, a word of the title counting four times, one of a note twice; the newest first where that is equal."""
        every = " AND ".join(written(term) for term in query.every)
        found = "".join(f" NOT {written(term)}" for term in query.never)
        statement = "SELECT rowid, -rank FROM searched WHERE searched MATCH :query ORDER BY rank, rowid DESC LIMIT :limit OFFSET :offset"
        rows = self.rows(statement, {"query": f"({every}){found}", "limit": limit, "offset": offset})
        return [(int(item), float(rank)) for item, rank in rows]

    def renumber(self, table: str) -> None:
        """Nothing to do: the next number is one more than the highest."""

    def shrink(self) -> None:
        """Write the file anew without what was erased, empty the log, and remove the copies that migrations kept."""
        self.rows("INSERT INTO searched (searched) VALUES ('optimize')")
        self.rows("VACUUM")
        self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        for copy in self.path.parent.glob(f"{self.path.name}.format*"):
            copy.unlink()

    def close(self) -> None:
        """No more statements."""
        with self.lock:
            self.base.close()


def written(term: Term) -> str:
    """A term as FTS5 reads it; words hold letters and digits only, so quotes need no care."""
    return f'"{" ".join(term.words)}"' + ("*" if term.begins else "")


def said(where: str, error: sqlite3.DatabaseError) -> HeedfulError:
    """An error of SQLite's in words; Python raises some itself, without a name."""
    name = error.sqlite_errorname if "sqlite_errorname" in vars(error) else ""
    if name.startswith(DAMAGE):
        rest = "it was left as it is; a copy of it would work, or a new file and an export"
        return DataError(f"{where}: damaged, or no store ({error}): {rest}")
    if name.startswith("SQLITE_BUSY"):
        return HeedfulError(f"{where}: another process has been writing to it for {WAIT:g} s: try again when it is done")
    return HeedfulError(f"{where}: {error}")
