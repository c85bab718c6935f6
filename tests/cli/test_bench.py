from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heedful.bench import run
from heedful.bench.figure import Figure, Goal
from heedful.bench.rows.row import Row
from heedful.bench.setting import Setting
from heedful.errors import HeedfulError


def found(setting: Setting) -> Iterator[Figure]:
    yield Figure("some", f"work on {setting.backend}", "torch SDPA", 2.0, Goal(1.5), ours=1.0, theirs=2.0)


def wrong(setting: Setting) -> Iterator[Figure]:
    raise HeedfulError("the sum is off")
    yield


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "ROWS", (Row("some", "some work", found), Row("wrong", "wrong work", wrong)))


def test_a_table_a_page_and_an_object(heedful: Callable, tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    said = heedful("bench", "--quick", "--rows", "some", "--backend", "naive", "--out", str(page))
    assert said.code == 0
    for text in (" ".join(said.out.split()), page.read_text()):
        assert "work on naive" in text
        assert "2.00 x" in text
        assert "1 of 1 targets reached" in text
    record = json.loads(heedful("bench", "--quick", "--rows", "some", "--json").out)
    assert record["figures"][0]["met"] is True


def test_what_is_wrong_fails(heedful: Callable) -> None:
    said = heedful("bench", "--quick")
    assert said.code == 1
    assert "the sum is off" in said.error


def test_an_unknown_row_is_refused_before_anything_runs(heedful: Callable, refused: Callable) -> None:
    refused(heedful("bench", "--rows", "smoe"), 2, "smoe", "some")
