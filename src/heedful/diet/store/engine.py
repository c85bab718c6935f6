"""What the store asks of a database; SQLite and PostgreSQL answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar, NamedTuple

from heedful.diet.store.words import Query
from heedful.errors import HeedfulError

Row = tuple[Any, ...]


class Entry(NamedTuple):
    """What is searched of an item: words parted by spaces, as `words.indexed` writes them."""

    item: int
    title: str
    body: str
    notes: str


class Engine(ABC):
    """A database with the tables of `schema`, statements with `:name` for values, and an index of words."""

    where: str
    lock: AbstractContextManager[bool]  # held by a thread for as long as its transaction; the same thread may take it again
    depth: int  # transactions within each other
    begin: ClassVar[str] = "BEGIN"

    @abstractmethod
    def rows(self, statement: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """What a statement gives; a change outside a transaction is one by itself."""

    @abstractmethod
    def many(self, statement: str, values: Sequence[Mapping[str, object]]) -> None:
        """One statement for each of the values."""

    @property
    @abstractmethod
    def returns(self) -> bool:
        """Whether there is a transaction to undo."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; one inside another is part of it."""
        with self.lock:
            if self.depth == 0:
                self.rows(self.begin)
            self.depth += 1
            try:
                yield
            except BaseException:
                self.depth -= 1
                if self.depth == 0 and self.returns:
                    with suppress(HeedfulError):  # what failed first is what is told
                        self.rows("ROLLBACK")
                raise
            self.depth -= 1
            if self.depth == 0:
                self.rows("COMMIT")

    @abstractmethod
    def index(self, entries: Sequence[Entry]) -> None:
        """Make items found by their words."""

    @abstractmethod
    def unindex(self, entries: Sequence[Entry]) -> None:
        """Make items found no more; the entries must be those that were indexed."""

    @abstractmethod
    def clear_index(self) -> None:
        """Make nothing found."""

    @abstractmethod
    def matches(self, query: Query, limit: int, offset: int) -> list[tuple[int, float]]:
        """Items by how well they match, the best first, with the rank (higher is better)."""

    @abstractmethod
    def renumber(self, table: str) -> None:
        """Number new rows on from the highest there is."""

    @abstractmethod
    def shrink(self) -> None:
        """Give the room of what was erased back, and leave nothing of it in the file or beside it."""

    @abstractmethod
    def close(self) -> None:
        """No more statements."""
