"""Tables of texts with classes: what is found in them, and one line on what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from heedful.data.labelled.tables import read_texts
from heedful.errors import DataError

ROWS = [("a good film, mostly", "pos"), ('bad "acting"', "neg"), ("日本語も読める", "pos")]


def written(path: Path) -> Path:
    """The rows in the form that the name asks for."""
    if ".csv" in path.name or ".tsv" in path.name:
        sign = "\t" if ".tsv" in path.name else ","
        quoted = [f'"{text.replace(chr(34), chr(34) * 2)}"{sign}{label}' for text, label in ROWS]
        body = "\n".join([f"Review{sign}Sentiment", *quoted]) + "\n"
    else:
        body = "\n".join(json.dumps({"id": i, "text": text, "label": label}) for i, (text, label) in enumerate(ROWS))
    data = body.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.jsonl.gz"])
def test_every_form_gives_the_same_texts(tmp_path: Path, name: str) -> None:
    found = read_texts(written(tmp_path / name), "utf-8", None, None)
    assert list(zip(found.texts, found.labels, strict=True)) == ROWS


def test_parquet_is_read_where_pyarrow_is(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"text": [row[0] for row in ROWS], "label": [1, 0, 1]}), tmp_path / "a.parquet")
    found = read_texts(tmp_path / "a.parquet", "utf-8", None, None)
    assert found.labels == ("1", "0", "1")
    assert found.texts[2] == ROWS[2][0]
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="not a whole parquet file"):
        read_texts(tmp_path / "a.parquet", "utf-8", None, None)


def test_columns_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,summary,label,kind\nlong,short,1,x\nlonger,shorter,2,y\n")
    assert read_texts(tmp_path / "a.csv", "utf-8", "summary", "kind").texts == ("short", "shorter")
    assert read_texts(tmp_path / "a.csv", "utf-8", None, None).labels == ("1", "2")


@pytest.mark.parametrize(
    ("name", "body", "parts"),
    [
        ("a.csv", "words,kind\nhello,x\n", ("no column with a usual name for the text", "'words', 'kind'", "data.text=NAME")),
        ("a.csv", "text,label\nhello\n", ("row 1", "'label'")),
        ("a.csv", "text,label\n  ,x\n", ("row 1", "'text'")),
        ("a.csv", "text,label\na,b,c\n", ("row 1", "more fields")),
        ("a.csv", "text,label\n", ("no rows",)),
        ("a.jsonl", '{"text": "a", "label": "b"}\n[1]\n', ("line 2", "wants an object", "list")),
        ("a.jsonl", '{"text": "a", "label"\n', ("line 1", "not JSON")),
        ("a.txt", "hello\n", ("not a table", ".csv")),
        ("a.csv", "", ("empty",)),
    ],
)
def test_what_cannot_be_read_is_refused_by_row(tmp_path: Path, name: str, body: str, parts: tuple[str, ...]) -> None:
    (tmp_path / name).write_text(body)
    with pytest.raises(DataError) as caught:
        read_texts(tmp_path / name, "utf-8", None, None)
    assert all(part in str(caught.value) for part in (name, *parts)), caught.value


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\nhello,x\n")
    with pytest.raises(DataError, match=r"no column 'stars'.*'label'"):
        read_texts(tmp_path / "a.csv", "utf-8", None, "stars")
