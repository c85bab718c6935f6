"""One file: older and newer ones, damaged ones, killed writers and two processes at once."""

from __future__ import annotations

import random
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from heedful.diet.store import sqlite
from heedful.diet.store.carry import Erase
from heedful.diet.store.rows import Item, Note, Source, Which
from heedful.diet.store.schema import MIGRATIONS
from heedful.diet.store.sqlite import SQLite
from heedful.diet.store.store import Store, open_store
from heedful.errors import DataError, HeedfulError

WRITER = """
import sys
from heedful.diet.store.rows import Feedback, Item, Note, Source
from heedful.diet.store.store import open_store
where, name, batches, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open_store(where) as store:
    source = store.add_source(Source(address=f"https://{name}.example/feed"))
    print("ready", flush=True)
    for batch in range(batches):
        items = [Item(source=source.id, address=f"{name}/{batch}/{i}", title=f"batch{batch}", text=f"{name} word{i}") for i in range(size)]
        made = store.add_items(items)
        store.add_note(Note(item=made.new[0], text="noted"))
        store.add_feedback(Feedback(made.new[0], "worth"))
        print(batch, flush=True)
"""


def writer(where: Path, name: str, batches: int, size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(where), name, str(batches), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sound(store: Store, size: int) -> None:
    """Nothing is half-written: the file is whole, batches are whole, and what is found is what is there."""
    assert store.engine.rows("PRAGMA integrity_check") == [("ok",)]
    assert store.engine.rows("PRAGMA foreign_key_check") == []
    batches = store.engine.rows("SELECT source, title, COUNT(*) FROM item GROUP BY source, title")
    assert {number for _, _, number in batches} <= {size}
    if batches:
        assert len(store.search(f"word{size - 1}", limit=10_000)) == len(batches)
        assert len(store.search("noted", limit=10_000)) == len(store.notes()) >= len(batches) - len(store.sources())
    store.engine.rows("INSERT INTO searched (searched) VALUES ('integrity-check')")


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    where = tmp_path / "diet.sqlite"
    both = [writer(where, name, 6, 20) for name in ("one", "two")]
    for process in both:
        _, wrong = process.communicate(timeout=60)
        assert process.returncode == 0, wrong
    with open_store(where) as store:
        assert store.counts()["item"] == 240
        assert store.counts()["note"] == 12
        sound(store, 20)


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_the_store_whole(tmp_path: Path) -> None:
    where, rng = tmp_path / "diet.sqlite", random.Random(0)
    for time_ in range(20):
        process = writer(where, f"n{time_}", 10_000, 30)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(rng.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        with open_store(where) as store:
            sound(store, 30)
            source = store.add_source(Source(address=f"https://n{time_}.example/feed"))
            assert len(store.items(Which(source=source.id))) >= 30 * len(said)  # what was said to be done is there


def test_threads_share_a_store(tmp_path: Path) -> None:
    with open_store(tmp_path / "diet.sqlite") as store:
        source = store.add_source(Source(address="https://a.example/feed"))
        wrong: list[Exception] = []

        def work(name: int) -> None:
            try:
                for i in range(10):
                    store.add_items([Item(source=source.id, address=f"{name}/{i}", text="thread")])
                    store.search("thread")
            except Exception as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert len(store.search("thread", limit=100)) == 40


def test_what_fails_inside_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_store(tmp_path / "diet.sqlite") as store:
        with pytest.raises(ZeroDivisionError), store.engine.transaction():  # noqa: PT012
            store.add_source(Source(address="https://a.example/feed"))
            with store.engine.transaction():
                _ = 1 / 0
        assert store.sources() == []
        store.add_source(Source(address="https://a.example/feed"))
        assert len(store.sources()) == 1


def test_an_older_file_is_brought_up_to_date_at_once_and_a_copy_is_kept(tmp_path: Path) -> None:
    where = tmp_path / "diet.sqlite"
    with open_store(where) as store:
        source = store.add_source(Source(address="https://a.example/feed"))
        store.add_items([Item(source=source.id, address="x", title="kept")])
    newer = (*MIGRATIONS, ("ALTER TABLE source ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'", "CREATE TABLE extra (a {real})"))
    with closing(SQLite(where, newer)) as engine:
        assert engine.rows("SELECT colour FROM source") == [("red",)]
        assert engine.number("user_version") == len(newer)
    copy = tmp_path / f"diet.sqlite.format{len(MIGRATIONS)}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with open_store(copy) as store:
        assert [one.title for one in store.items()] == ["kept"]
    broken = (*newer, ("CREATE TABLE another (a {real})", "ALTER TABLE absent ADD COLUMN x"))
    with pytest.raises(HeedfulError, match="no such table"):
        SQLite(where, broken)
    with closing(SQLite(where, newer)) as engine:
        assert engine.number("user_version") == len(newer)
        assert engine.rows("SELECT 1 FROM sqlite_master WHERE name = 'another'") == []
    with pytest.raises(DataError, match=f"format {len(newer)}, written by a newer Heedful; this one reads up to {len(MIGRATIONS)}"):
        open_store(where)


@pytest.mark.parametrize("kind", ["letters", "empty folder", "torn", "other"])
def test_what_is_no_store_is_told_in_one_line_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    where = tmp_path / "diet.sqlite"
    if kind == "letters":
        where.write_bytes(b"Dear diary, " * 500)
    elif kind == "empty folder":
        where.mkdir()
    elif kind == "torn":
        with open_store(where) as store:
            source = store.add_source(Source(address="https://a.example/feed"))
            store.add_items([Item(source=source.id, address=str(i), text="text " * 500) for i in range(50)])
        whole = bytearray(where.read_bytes())
        whole[4096 * 2 :] = b"\x07" * (len(whole) - 4096 * 2)
        where.write_bytes(whole)
    else:
        with closing(sqlite3.connect(where)) as base:
            base.execute("CREATE TABLE places (a)")
            base.commit()
    before = where.read_bytes() if where.is_file() else b""

    def use() -> None:
        with open_store(where) as store:
            store.items()
            store.search("text")

    with pytest.raises(DataError) as caught:
        use()
    assert "\n" not in str(caught.value)
    assert "would work" in str(caught.value)
    assert (where.read_bytes() if where.is_file() else b"") == before


def test_a_file_that_another_writes_to_for_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "diet.sqlite"
    open_store(where).close()
    monkeypatch.setattr(sqlite, "WAIT", 0.1)
    with closing(sqlite3.connect(where)) as other:
        other.execute("BEGIN IMMEDIATE")
        with open_store(where) as store, pytest.raises(HeedfulError, match="another process has been writing"):
            store.add_source(Source(address="https://a.example/feed"))


def test_erasing_leaves_nothing_of_it_in_the_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "diet.sqlite")
    source = store.add_source(Source(address="https://a.example/feed"))
    store.add_items([Item(source=source.id, address=str(i), text="number", taken=float(i)) for i in range(1, 6)])
    other = store.add_source(Source(address="https://b.example/feed", title="Bystander"))
    store.add_items([Item(source=other.id, address="6", text="innocuous")])
    store.add_items([Item(source=source.id, address="7", text="xylophonesecret", taken=7.0)])
    store.add_note(Note(item=7, text="notesecret"))
    gone = store.erase(Erase(source=source.id))
    assert {name: number for name, number in gone.items() if number} == {"source": 1, "item": 6, "note": 1}
    assert store.search("innocuous")
    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"innocuous" in held
    assert b"xylophonesecret" not in held
    assert b"notesecret" not in held
    store.erase(Erase(everything=True))
    assert set(store.counts().values()) == {0}
    assert b"innocuous" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    store.close()
