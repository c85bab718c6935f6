"""Rows of a table: csv, tsv, jsonl and parquet, and which of their columns hold the text and the class."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from heedful.data.files import read_text
from heedful.data.labelled.texts import Texts
from heedful.errors import DataError, MissingExtra

FORMS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
TEXTS = ("text", "sentence", "review", "content", "question", "comment", "utterance", "query", "document", "body", "title")
LABELS = ("label", "category", "class", "intent", "sentiment", "target", "topic", "y")
UNKNOWN = "unlabelled"  # the class of texts that have none
LONGEST = 1 << 30  # characters of a field

Row = Mapping[str, Any]


def read_texts(path: Path, encoding: str, text: str | None, label: str | None) -> Texts:
    """The texts of a table and their classes, from the named columns or those with usual names.

    Raises `DataError`: no such column (with those there are), a row without a text or a class (with its number), not a table.
    """
    rows = read_rows(path, encoding)
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of texts and one of classes would work")
    columns = list(rows[0])
    ours = column(path, columns, "text", text, TEXTS)
    theirs = column(path, [name for name in columns if name != ours], "label", label, LABELS)
    pairs = [pair(path, i, row, ours, theirs) for i, row in enumerate(rows, start=1)]
    return Texts(tuple(text for text, _ in pairs), tuple(label for _, label in pairs))


def read_lines(path: Path, encoding: str) -> Texts:
    """Texts without classes, a line each: something to learn a language from."""
    lines = tuple(line.strip() for line in read_text(path, encoding).split("\n") if line.strip())
    return Texts(lines, tuple(UNKNOWN for _ in lines))


def read_rows(path: Path, encoding: str) -> Sequence[Row]:
    """The rows of a table by its form, .gz too."""
    form = form_of(path)
    if form == ".parquet":
        return parquet(path)
    body = read_text(path, encoding)
    return objects(path, body) if form in (".jsonl", ".ndjson") else separated(path, body, "\t" if form == ".tsv" else ",")


def form_of(path: Path) -> str:
    """Its form by its name; `DataError` for none of them."""
    name = path.name.lower().removesuffix(".gz")
    found = next((form for form in FORMS if name.endswith(form)), None)
    if found is None:
        raise DataError(f"{path}: not a table of texts with classes: {', '.join(FORMS)} would work (all but parquet as .gz too)")
    return found


def separated(path: Path, body: str, sign: str) -> Sequence[Row]:
    """The rows of a csv or tsv whose first line names the columns."""
    csv.field_size_limit(LONGEST)
    reader = csv.DictReader(io.StringIO(body), delimiter=sign)  # what is too many stands under None: a column may be called ""
    try:
        rows = list(reader)
    except csv.Error as error:
        raise DataError(f"{path} line {reader.line_num}: not a table: {error}") from None
    for i, row in enumerate(rows, start=1):
        if None in row:
            raise DataError(
                f"{path} row {i}: has more fields than the {len(reader.fieldnames or ())} columns: quote texts that hold {sign!r}"
            )
    return rows


def objects(path: Path, body: str) -> Sequence[Row]:
    """The objects of a file with one a line."""
    rows: list[Row] = []
    for i, line in enumerate(body.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path} line {i}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise DataError(f"{path} line {i}: wants an object, found {type(row).__name__}")
        rows.append(row)
    return rows


def parquet(path: Path) -> Sequence[Row]:
    """The rows of a parquet file."""
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_table
    except ImportError:
        raise MissingExtra("pyarrow", "text", "reading parquet") from None
    try:
        rows: list[Row] = read_table(path).to_pylist()
    except (ArrowException, OSError) as error:
        raise DataError(f"{path}: not a whole parquet file: {' '.join(str(error).split())}") from None
    return rows


def column(path: Path | str, columns: Sequence[str], kind: str, given: str | None, usual: Sequence[str]) -> str:
    """The column that was named, or the first one with a usual name."""
    if given is not None and given in columns:
        return given
    found = next((name for wanted in usual for name in columns if name.strip().lower() == wanted), None)
    if given is None and found is not None:
        return found
    asked = f"no column {given!r}" if given is not None else f"no column with a usual name for the {kind} ({', '.join(usual)})"
    raise DataError(f"{path}: {asked}: found {', '.join(map(repr, columns))}; data.{kind}=NAME names another")


def pair(path: Path | str, number: int, row: Row, text: str, label: str) -> tuple[str, str]:
    """The text and the class of a row."""
    values = row.get(text), row.get(label)
    for name, value in zip((text, label), values, strict=True):
        if value is None or not str(value).strip():
            raise DataError(f"{path} row {number}: nothing in column {name!r}: every text needs a class, and every class a text")
    return str(values[0]), str(values[1]).strip()
