"""A row of the catalogue: what a mechanism is called, its formula, where it comes from, and how to build one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from heedful.errors import UsageError, unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes a mechanism is built for: heads, key/value heads, head width, longest query and key lengths."""

    heads: int
    kv_heads: int
    d: int
    q: int
    k: int
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Mechanism(Generic[T]):
    """One row of a family's table.

    `build(shape, options)` gives an instance that fits `shape`; `options` are constructor arguments by name and
    override what the row would choose. `plain` says that the name alone is enough (no parameters, no sizes), so that
    `attend(..., score="dot")` may use it.
    """

    name: str
    kind: type[T]
    formula: str
    source: str
    build: Callable[[Shape, Mapping[str, Any]], T]
    plain: bool = False
    article: str = ""
    cost: str = ""
    aliases: tuple[str, ...] = field(default=())


def find(family: str, table: Sequence[Mechanism[T]], name: str) -> Mechanism[T]:
    """The row called `name` (or an alias of it); `UsageError` with the nearest right name otherwise."""
    for row in table:
        if name == row.name or name in row.aliases:
            return row
    raise unknown(family, name, [row.name for row in table])


def create(family: str, table: Sequence[Mechanism[T]], name: str, shape: Shape, options: Mapping[str, Any]) -> T:
    """Build the mechanism `name` for `shape`; an option it does not take is refused with the ones it does."""
    row = find(family, table, name)
    accepted = [p for p in inspect.signature(row.kind).parameters if p != "self"]
    for option in options:
        if option not in accepted:
            raise unknown(f"option of {family} {name}", option, accepted)
    return row.build(shape, options)


def by_name(family: str, table: Sequence[Mechanism[T]], name: str) -> T:
    """The plain mechanism `name`; one that has parameters or sizes is refused, naming its class."""
    row = find(family, table, name)
    if not row.plain:
        door = f"heedful.{family}s"
        signature = str(inspect.signature(row.kind)).split(" ->")[0]
        raise UsageError(
            f"{family}={name!r} has parameters or sizes of its own, so a name is not enough: "
            f"pass an instance of {door}.{row.kind.__name__}{signature}"
        )
    return row.build(Shape(1, 1, 1, 1, 1), {})
