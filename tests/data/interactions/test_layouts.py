"""Folders as they are distributed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data.interactions import logs
from heedful.data.interactions.sources import load_log
from heedful.errors import DataError
from heedful.spec.interactions import LogDataSpec


@pytest.mark.parametrize("write", [logs.movielens, logs.movielens_dat, logs.movielens_100k])
def test_movielens_in_its_three_layouts(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    log = load_log(LogDataSpec(str(write(tmp_path / "ml"))))
    assert (log.users, log.items) == (("1", "2"), ("10", "20", "30"))
    assert log.time.tolist() == [100, 200, 200, 150, 400]
    assert log.values[0] == 4.0
    assert log.about_items["10"].title in ("Toy Story (1995)", "Film 10")
    assert sum(feature.startswith("genres=") for feature in log.about_items["10"].features) == 2
    assert set(log.about_users) == (set() if write is logs.movielens else {"1", "2"})


def test_s3rec_sequences_and_attributes(tmp_path: Path) -> None:
    log = load_log(LogDataSpec(str(logs.s3rec(tmp_path / "soap")), split="leave-one-out"))
    assert (log.users, len(log), log.timed) == (("1", "2", "3"), 9, False)
    assert log.about_items["5"].features == ("attribute=1", "attribute=2")


def test_open_bandit_clicks_are_interactions_of_cohorts(tmp_path: Path) -> None:
    log = load_log(LogDataSpec(str(logs.open_bandit(tmp_path / "men"))))
    assert len(log) == 6
    assert set(log.users) == {"aa/bb/cc/dd", "aa/bb/cc/ee"}
    assert log.about_items["0"].features == ("item_feature_1=x",)


def test_a_folder_of_our_own_tables(tmp_path: Path) -> None:
    (tmp_path / "interactions.tsv").write_text("user\titem\nann\ta\nann\tb\n")
    (tmp_path / "items.csv").write_text("item,title\na,Tea time\n")
    (tmp_path / "users.csv").write_text("user,town\nann,Bern\n")
    log = load_log(LogDataSpec(str(tmp_path)))
    assert log.title("a") == "Tea time"
    assert log.about_users["ann"].features == ("town=Bern",)


def test_a_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.open_bandit(tmp_path / "bandit" / "bts" / "men")
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    assert len(load_log(LogDataSpec("bandit/bts/men"))) == 6


def test_what_is_no_layout_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no log in it"):
        load_log(LogDataSpec(str(tmp_path)))
    (tmp_path / "ratings.dat").write_text("1::2::3\n")
    with pytest.raises(DataError, match="not the layout of movielens_dat"):
        load_log(LogDataSpec(str(tmp_path)))
