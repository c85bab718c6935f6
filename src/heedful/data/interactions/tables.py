"""Tables of interactions, of items and of users: csv, tsv, jsonl and parquet, their columns found by usual names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from heedful.data.interactions.log import Described, Log, words
from heedful.data.labelled.tables import Row, read_rows
from heedful.errors import DataError
from heedful.spec.interactions import LogDataSpec

USERS: Final = (
    "user",
    "user_id",
    "userid",
    "reader",
    "visitor",
    "visitor_id",
    "visitorid",
    "customer",
    "customer_id",
    "session",
    "session_id",
    "uid",
)
ITEMS: Final = (
    "item",
    "item_id",
    "itemid",
    "movieid",
    "movie_id",
    "product",
    "product_id",
    "article",
    "article_id",
    "news_id",
    "asin",
    "iid",
)
TIMES: Final = ("time", "timestamp", "datetime", "date", "ts", "event_time", "unix_time")
VALUES: Final = ("rating", "value", "score", "stars", "dwell", "seconds", "minutes", "click", "price")
TITLES: Final = ("title", "name", "headline", "text", "description")
MILLISECONDS: Final = 1e11  # a number of seconds beyond this is of the year 5138


def read_log(path: Path, spec: LogDataSpec) -> Log:
    """The interactions of a table.

    Raises `DataError`: no such column (with those there are), a row without a user or an item, a time or value that is none.
    """
    rows = read_rows(path, spec.encoding)
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of users and one of items would work")
    columns = list(rows[0])
    user = column(path, columns, "user", spec.user, USERS)
    item = column(path, columns, "item", spec.item, ITEMS)
    time = optional(path, columns, "time", spec.time, TIMES)
    value = optional(path, columns, "value", spec.value, VALUES)
    found = []
    for number, row in enumerate(rows, start=1):
        where = f"{path} row {number}"
        when = None if time is None else seconds(where, row.get(time))
        worth = None if value is None else amount(where, value, row.get(value))
        found.append((named(where, user, row), named(where, item, row), when, worth))
    return Log.of(str(path), found)


def read_described(path: Path, encoding: str, kind: str, id_column: str | None = None) -> dict[str, Described]:
    """What a table says of items or users ("item", "user"): the title column as a title and words, every other as attributes.

    A cell with | in it holds several attributes.
    """
    rows = read_rows(path, encoding)
    if not rows:
        return {}
    columns = list(rows[0])
    key = column(path, columns, kind, id_column, ("id", *(ITEMS if kind == "item" else USERS)))
    titles = [name for name in columns if name.strip().lower() in TITLES]
    rest = [name for name in columns if name != key and name not in titles]
    return {named(f"{path} row {i}", key, row): described(row, titles, rest) for i, row in enumerate(rows, start=1)}


def described(row: Row, titles: Sequence[str], rest: Sequence[str]) -> Described:
    """One row as a title and features."""
    texts = [str(row[name]) for name in titles if row.get(name) not in (None, "")]
    told = [word for text in texts for word in words(text)]
    attributes = [f"{name}={part.strip()}" for name in rest for part in str(row.get(name) or "").split("|") if part.strip()]
    return Described(texts[0] if texts else "", tuple(dict.fromkeys([*attributes, *told])))


def column(path: Path, columns: Sequence[str], kind: str, given: str | None, usual: Sequence[str]) -> str:
    """The column that was named, or the first with a usual name; `DataError` with the columns there are."""
    found = optional(path, columns, kind, given, usual)
    if found is None:
        raise DataError(
            f"{path}: no column with a usual name for the {kind} ({', '.join(usual[:6])}): found {', '.join(map(repr, columns))}; "
            f"data.{kind}=NAME names another"
        )
    return found


def optional(path: Path, columns: Sequence[str], kind: str, given: str | None, usual: Sequence[str]) -> str | None:
    """The same where the column may be missing, unless it was named."""
    if given is not None:
        if given not in columns:
            raise DataError(f"{path}: no column {given!r}: found {', '.join(map(repr, columns))}; data.{kind}=NAME names another")
        return given
    return next((name for wanted in usual for name in columns if name.strip().lower() == wanted), None)


def named(where: str, key: str, row: Mapping[str, Any]) -> str:
    """A user or an item by name."""
    value = row.get(key)
    if value is None or not str(value).strip():
        raise DataError(f"{where}: nothing in column {key!r}: every interaction needs a user and an item")
    return str(value).strip()


def seconds(where: str, value: object) -> float:
    """A time as seconds: a number of them (or of milliseconds), or a date as ISO 8601 writes it."""
    text = "" if value is None else str(value).strip()
    try:
        number = float(text)
    except ValueError:
        return moment(where, text)
    if not math.isfinite(number):
        raise DataError(f"{where}: {text!r} is no time")
    return number / 1000 if abs(number) > MILLISECONDS else number


def moment(where: str, text: str) -> float:
    """A date as seconds; one without a zone is taken as UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(f"{where}: {text!r} is no time: seconds, milliseconds, or a date such as 2026-11-21 08:30 would work") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def amount(where: str, name: str, value: object) -> float | None:
    """A value as a number; None where there is none."""
    if value is None or not str(value).strip():
        return None
    try:
        return float(str(value))
    except ValueError:
        raise DataError(f"{where}: {value!r} in column {name!r} is no number") from None
