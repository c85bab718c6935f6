"""Tables of interactions: columns by usual names, times in any form, and one line on what will not do."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from heedful.data.interactions.sources import load_log
from heedful.data.interactions.tables import read_described, seconds
from heedful.errors import DataError
from heedful.spec import SpecError
from heedful.spec.interactions import LogDataSpec


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_table_is_read_by_its_usual_columns(tmp_path: Path) -> None:
    source = write(tmp_path / "log.csv", "reader,article,Timestamp,minutes\nann,a,2026-01-01 00:01,3\nbob,b,1767225600000,\n")
    log = load_log(LogDataSpec(source))
    assert (log.users, log.items) == (("ann", "bob"), ("a", "b"))
    assert log.time.tolist() == [1_767_225_660, 1_767_225_600]
    assert log.values[0] == 3.0
    assert np.isnan(log.values[1])


def test_named_columns_and_a_packed_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"who": "ann", "what": "a"}\n{"who": "ann", "what": "b"}\n'))
    log = load_log(LogDataSpec(str(path), user="who", item="what"))
    assert not log.timed
    assert log.time.tolist() == [0, 1]


def test_a_parquet_table_is_read(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.table({"user": ["ann", "bob"], "item": [1, 2], "time": [5, 6]}), tmp_path / "log.parquet")
    log = load_log(LogDataSpec(str(tmp_path / "log.parquet")))
    assert (log.items, log.time.tolist()) == (("1", "2"), [5, 6])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name,article\nann,a\n", ("no column", "user", "data.user=NAME")),
        ("user,thing\nann,a\n", ("no column", "item", "'thing'")),
        ("user,item\nann,\n", ("row 1", "'item'")),
        ("user,item,time\nann,a,yesterday\n", ("row 1", "'yesterday'", "is no time")),
        ("user,item,time\nann,a,inf\n", ("row 1", "is no time")),
        ("user,item,rating\nann,a,good\n", ("row 1", "'rating'", "no number")),
        ("user,item\n", ("no rows",)),
    ],
)
def test_what_is_wrong_is_said_by_row_and_column(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(DataError) as found:
        load_log(LogDataSpec(write(tmp_path / "log.csv", text)))
    assert all(part in str(found.value) for part in parts), found.value
    assert "\n" not in str(found.value)


def test_low_values_late_ends_and_rare_users_are_left_out(tmp_path: Path) -> None:
    rows = [("ann", "a", 1, 5), ("ann", "b", 2, 1), ("ann", "c", 3, 4), ("bob", "a", 4, 5), ("ann", "d", 9, 5)]
    source = write(tmp_path / "log.csv", "user,item,time,rating\n" + "".join(f"{u},{i},{t},{r}\n" for u, i, t, r in rows))
    assert len(load_log(LogDataSpec(source, least=4))) == 4
    assert len(load_log(LogDataSpec(source, least=4, core=2))) == 3
    assert len(load_log(LogDataSpec(source, until=0.5))) == 2  # before the median time
    with pytest.raises(DataError, match="none of its 5 interactions is left"):
        load_log(LogDataSpec(source, core=9))
    with pytest.raises(DataError, match="no values"):
        load_log(LogDataSpec(write(tmp_path / "plain.csv", "user,item\nann,a\n"), least=1))


def test_attributes_are_parted_and_words_folded(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("id,title,topic,tags\na,The Moon,space,far|cold\n")
    found = read_described(path, "utf-8", "item")["a"]
    assert found.title == "The Moon"
    assert found.features == ("topic=space", "tags=far", "tags=cold", "the", "moon")


def test_times_are_seconds_whatever_their_form() -> None:
    assert seconds("here", "1970-01-01T00:01:00Z") == 60
    assert seconds("here", 60_000_000_000_00) == 6_000_000_000.0  # milliseconds
    assert seconds("here", "60") == 60


@pytest.mark.parametrize(
    ("field", "value"), [("split", "weeks"), ("ties", "luck"), ("until", 0.0), ("validation", 0.0), ("core", 0), ("vocabulary", 0)]
)
def test_a_spec_refuses_what_makes_no_sense(field: str, value: object) -> None:
    with pytest.raises(SpecError, match=field):
        LogDataSpec(**{field: value})  # type: ignore[arg-type]


def test_a_source_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    with pytest.raises(DataError, match="did you mean 'simulated-reader'"):
        load_log(LogDataSpec("simulated-raeder"))
