"""What is particular to PostgreSQL; what is not, `test_store.py` runs with it too."""

from __future__ import annotations

import sys

import pytest

from heedful.diet.store.postgres import LAST, Postgres, vector
from heedful.diet.store.rows import Item, Source
from heedful.diet.store.schema import MIGRATIONS
from heedful.diet.store.store import open_store
from heedful.errors import DataError, HeedfulError, MissingExtra


def test_without_its_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"heedful\[postgres\]"):
        open_store("postgresql://localhost/diet")


def test_a_server_that_is_not_there_is_told_in_one_line_without_the_password() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(HeedfulError) as caught:
        open_store("postgresql://me:secretword@127.0.0.1:9/diet?connect_timeout=2")
    assert "\n" not in str(caught.value)
    assert "secretword" not in str(caught.value)


@pytest.mark.slow
def test_every_script_is_found(database: str) -> None:
    texts = [
        "国家公园今天宣布重新开放。",
        "독서를 좋아합니다",
        "Éclair & naïve\x00 words",
        "it's a 'quoted' \\ text",
        "long " * 20_000 + "tail end",
    ]
    with open_store(database) as store:
        source = store.add_source(Source(address="https://a.example/feed"))
        store.add_items([Item(source=source.id, address=str(i), text=text) for i, text in enumerate(texts)])
        for asked, item in (("公园", 1), ("园", 1), ("今天宣布", 1), ("독서", 2), ('"eclair naive"', 3), ("quoted", 4), ("tail end", 5)):
            assert [hit.item.id for hit in store.search(asked)] == [item], asked
        for asked in ("公国", "clair", "naive -words"):
            assert store.search(asked) == [], asked


@pytest.mark.slow
def test_formats_and_a_server_that_goes_away(database: str) -> None:
    with open_store(database) as store:
        store.add_source(Source(address="https://a.example/feed"))
    newer = (*MIGRATIONS, ("ALTER TABLE source ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",))
    engine = Postgres(database, newer)
    assert engine.rows("SELECT colour FROM source") == [("red",)]
    other = Postgres(database, newer)
    ((own,),) = engine.rows("SELECT pg_backend_pid()")
    other.rows("SELECT pg_terminate_backend(:own)", {"own": own})
    with pytest.raises(HeedfulError):
        engine.rows("SELECT 1")
    assert engine.rows("SELECT 1") == [(1,)]
    engine.close()
    other.close()
    with pytest.raises(DataError, match="written by a newer Heedful"):
        open_store(database)


def test_places_are_those_that_the_database_keeps() -> None:
    from heedful.diet.store.engine import Entry

    made = vector(Entry(1, "a b", " ".join(f"w{i}" for i in range(LAST)) + " a", "c"))
    assert made.startswith("'a':1A,16383 'b':2A 'c':5B ")
    assert max(int(place.rstrip("AB")) for word in made.split() for place in word.split(":")[1].split(",")) == LAST
