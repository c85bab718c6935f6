"""The tables by name: how a row becomes columns and back, and the statements that both databases understand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Generic, TypeVar

from heedful.diet.store.rows import Feedback, Item, Made, Note, Shown, Source

RowT = TypeVar("RowT")
NUMBERS: Final[dict[str, tuple[type, ...]]] = {  # by annotation, what a column may hold that is not text
    "int": (int,),
    "bool": (int,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
}
WIDTH: Final = 500  # values of one IN (...)


@dataclass(frozen=True)
class Passed:
    """Why an item is not in an edition."""

    edition: int
    item: int
    reason: str


@dataclass(frozen=True)
class Setting:
    """Anything that JSON can say, by its name."""

    name: str
    value: Any


@dataclass(frozen=True)
class Table(Generic[RowT]):
    """A table and the class of its rows.

    >>> Table("note", Note).insert
    'INSERT INTO note (item, kind, quote, text, at) VALUES (:item, :kind, :quote, :text, :at) RETURNING id'

    Arguments:
        numbered: the database gives each row its `id`.
        json, flags: columns that hold JSON, and 0 or 1.
        extra: columns of numbers that the class does not have and an export does.
    """

    name: str
    row: type[RowT]
    numbered: bool = True
    json: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """As the class has them."""
        return tuple(one.name for one in fields(self.row))  # type: ignore[arg-type]

    @property
    def given(self) -> tuple[str, ...]:
        """Those that the database does not give itself."""
        return tuple(one for one in self.columns if not (self.numbered and one == "id"))

    @property
    def insert(self) -> str:
        """A new row."""
        start = f"INSERT INTO {self.name} ({', '.join(self.given)}) VALUES ({', '.join(f':{one}' for one in self.given)})"
        return f"{start} RETURNING id" if self.numbered else start

    @property
    def all(self) -> tuple[str, ...]:
        """What an export holds."""
        return (*self.columns, *self.extra)

    @property
    def restore(self) -> str:
        """A row with the number that it had."""
        return f"INSERT INTO {self.name} ({', '.join(self.all)}) VALUES ({', '.join(f':{one}' for one in self.all)})"

    @property
    def update(self) -> str:
        """All columns of the row of an `id`."""
        return f"UPDATE {self.name} SET {', '.join(f'{one} = :{one}' for one in self.given)} WHERE id = :id"

    @property
    def select(self) -> str:
        """All columns."""
        return f"SELECT {', '.join(f'{self.name}.{one}' for one in self.columns)} FROM {self.name}"

    def encode(self, row: RowT) -> dict[str, Any]:
        """A row as the database has it."""
        found = dict(vars(row))
        for one in self.json:
            found[one] = json.dumps(found[one], ensure_ascii=False, sort_keys=True)
        for one in self.flags:
            found[one] = int(found[one])
        return found

    def wrong(self, line: Mapping[str, object]) -> str:
        """The first column of an exported row that is missing, unknown or of another kind; empty if there is none."""
        kinds = {one.name: NUMBERS.get(str(one.type), (str,)) for one in fields(self.row)}  # type: ignore[arg-type]
        kinds.update(dict.fromkeys(self.extra, NUMBERS["int"]))
        off = set(kinds) ^ set(line)
        off |= {name for name in kinds.keys() - off - set(self.json) if not isinstance(line[name], kinds[name])}
        return min(off, default="")

    def decode(self, values: Sequence[Any]) -> RowT:
        """A row as the house has it."""
        if not (self.json or self.flags):
            return self.row(*values)
        found = dict(zip(self.columns, values, strict=True))
        for one in self.json:
            found[one] = json.loads(found[one])
        for one in self.flags:
            found[one] = bool(found[one])
        return self.row(**found)


SOURCE: Final = Table("source", Source, flags=("paused",), extra=("gone",))
ITEM: Final = Table("item", Item, extra=("filled",))
FEEDBACK: Final = Table("feedback", Feedback, numbered=False)
EDITION: Final = Table("edition", Made, json=("diet",))
SHOWN: Final = Table("shown", Shown, numbered=False, json=("reason",))
PASSED: Final = Table("passed", Passed, numbered=False)
NOTE: Final = Table("note", Note)
SETTING: Final = Table("setting", Setting, numbered=False, json=("value",))
TABLES: Final[tuple[Table[Any], ...]] = (SOURCE, ITEM, FEEDBACK, EDITION, SHOWN, PASSED, NOTE, SETTING)  # parents first


def among(column: str, values: Sequence[object]) -> tuple[str, Mapping[str, object]]:
    """A condition that holds for rows with one of the values, and its values by name.

    >>> among("id", [3, 4])
    ('id IN (:among0, :among1)', {'among0': 3, 'among1': 4})
    """
    named = {f"among{i}": value for i, value in enumerate(values)}
    return f"{column} IN ({', '.join(f':{name}' for name in named)})", named


def parts(values: Sequence[RowT]) -> list[Sequence[RowT]]:
    """Values in the runs that one statement takes."""
    return [values[i : i + WIDTH] for i in range(0, len(values), WIDTH)]
