"""Labelled texts from files, folders and named sets, in parts that share nothing."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from heedful.data.labelled.named import SETS
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import Texts, balance, cut
from heedful.errors import DataError
from heedful.spec import DataSpec


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of named sets."""
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    return tmp_path


def table(path: Path, count: int, classes: str = "ab") -> None:
    path.write_text("text,label\n" + "".join(f"text {i},{classes[i % len(classes)]}\n" for i in range(count)))


def test_a_file_is_cut_class_by_class(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", 40)
    corpus = load_labelled(DataSpec(str(tmp_path / "a.csv"), validation=0.25, test=0.1))
    sizes = {part: len(corpus.part(part)) for part in ("train", "validation", "test", "whole")}
    assert sizes == {"train": 28, "validation": 8, "test": 4, "whole": 40}
    assert sorted(corpus.part("validation").labels) == ["a"] * 4 + ["b"] * 4
    assert len({*corpus.part("whole").texts}) == 40
    assert load_labelled(DataSpec(str(tmp_path / "a.csv"), validation=0.25, test=0.1)) == corpus


def test_a_folder_keeps_its_own_parts(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", 10)
    table(tmp_path / "dev.csv", 4)
    table(tmp_path / "test.csv", 6)
    corpus = load_labelled(DataSpec(str(tmp_path)))
    assert [len(corpus.part(part)) for part in ("train", "validation", "test")] == [10, 4, 6]
    assert "dev.csv" in corpus.split


def test_letters_are_folded_if_asked(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "GOOD,Yes\nBad,No\n" * 5)
    corpus = load_labelled(DataSpec(str(tmp_path / "a.csv"), lowercase=True))
    assert set(corpus.part("train").texts) == {"good", "bad"}
    assert corpus.labels == ("No", "Yes")


def test_classes_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    table(tmp_path / "a.csv", 33, classes="321")
    assert load_labelled(DataSpec(str(tmp_path / "a.csv"))).labels == ("1", "2", "3")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda folder: table(folder / "train.csv", 9, "a"), "1 class to learn"),
        (lambda folder: (table(folder / "train.csv", 9), table(folder / "test.csv", 9, "abc")), "no text to learn from has: c"),
        (lambda folder: table(folder / "other.csv", 9), "no table named train"),
        (lambda folder: (folder / "train.csv").write_text("text,label\na,x\nb,y\nc,y\n"), "the class 'x' has one text"),
    ],
)
def test_classes_that_cannot_be_learnt_are_refused(tmp_path: Path, write: object, message: str) -> None:
    write(tmp_path)  # type: ignore[operator]
    with pytest.raises(DataError, match=message):
        load_labelled(DataSpec(str(tmp_path)))


def test_a_source_that_is_none_is_refused_with_what_there_is(home: Path) -> None:
    (home / "imdb").mkdir()
    with pytest.raises(DataError, match=r"did you mean 'imdb'.*\(imdb\)"):
        load_labelled(DataSpec("imbd"))
    with pytest.raises(DataError, match="no such folder"):
        load_labelled(DataSpec("trec"))


def test_imdb_is_read_in_its_layout(home: Path) -> None:
    (home / "imdb").mkdir()
    for part in ("train", "test"):
        rows = [{"id": f"{i}", "label": i % 2, "rating": 1, "text": f"{part} {i}<br />end"} for i in range(20)]
        (home / "imdb" / f"{part}.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    corpus = load_labelled(DataSpec("imdb"))
    assert (corpus.labels, len(corpus.part("train")), len(corpus.part("test"))) == (("negative", "positive"), 18, 20)
    assert corpus.part("test").texts[1] == "test 1\nend"
    assert corpus.part("test").labels[1] == "positive"
    (home / "imdb" / "train.jsonl.gz").write_bytes(gzip.compress(b'{"review": "x"}'))
    with pytest.raises(DataError, match="not the layout of imdb"):
        load_labelled(DataSpec("imdb"))


def test_trec_and_phrasebank_are_read_in_their_encodings(home: Path) -> None:
    for folder in ("trec", "financial-phrasebank"):
        (home / folder).mkdir()
    for part in ("train", "test"):
        (home / "trec" / f"TREC.{part}").write_text("HUM:ind Who is Amélie ?\nLOC:city Where is it ?\n" * 4, encoding="latin-1")
    assert load_labelled(DataSpec("trec")).labels == ("HUM", "LOC")
    assert load_labelled(DataSpec("trec-fine")).labels == ("HUM:ind", "LOC:city")
    assert "Amélie" in load_labelled(DataSpec("trec")).part("test").texts[0]
    body = "".join(f"sales@home rose {i}@{('positive', 'neutral')[i % 2]}\n" for i in range(60))
    (home / "financial-phrasebank" / "Sentences_50Agree.txt").write_text(body)
    bank = load_labelled(DataSpec("financial-phrasebank"))
    assert [len(bank.part(part)) for part in ("train", "validation", "test")] == [48, 6, 6]
    assert bank.part("test").texts[0] == "sales@home rose 0"


def test_the_cut_leaves_no_class_out() -> None:
    texts = Texts(tuple(map(str, range(22))), ("rare",) * 2 + ("often",) * 20)
    stays, off = cut(texts, 0.1)
    assert (stays.labels.count("rare"), off.labels.count("rare")) == (1, 1)
    assert not {*stays.texts} & {*off.texts}
    assert balance(texts) == "2 classes, from 2 (rare) to 20 (often) texts"


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "classes", "train", "test"),
    [
        ("imdb", 2, 22_500, 25_000),
        ("trec", 6, 4_906, 500),
        ("trec-fine", 50, 4_904, 500),
        ("rotten-tomatoes", 2, 8_634, 1_068),
        ("financial-phrasebank", 3, 3_924, 486),
        ("financial-phrasebank-all", 3, 1_833, 228),
        ("banking77", 77, 9_000, 3_080),
        ("clinc150", 150, 15_000, 4_500),
        ("clinc150-oos", 151, 15_100, 5_500),
        ("allsides-news", 3, 27_978, 1_300),
        ("allsides-media", 3, 26_590, 1_300),
        ("allsides-topics", 108, 27_978, 1_300),
    ],
)
def test_named_sets_have_their_official_sizes(name: str, classes: int, train: int, test: int) -> None:
    home = Path(os.environ.get("HEEDFUL_DATA") or "~/.cache/heedful/data").expanduser()
    if not (home / SETS[name][0]).is_dir():
        pytest.skip(f"no {name} under $HEEDFUL_DATA")
    corpus = load_labelled(DataSpec(name))
    assert (len(corpus.labels), len(corpus.part("train")), len(corpus.part("test"))) == (classes, train, test)
