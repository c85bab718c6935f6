"""Pairs from tables, parallel files, folders and named sets; refusals in one line; batches that hold every pair once."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.data.batches import Share
from heedful.data.pairs.batches import PairBatches, PairFeed, every
from heedful.data.pairs.made import MADE, words
from heedful.data.pairs.pairs import Pairs
from heedful.data.pairs.rows import PairRows, Side, pair_rows
from heedful.data.pairs.sources import load_pairs
from heedful.data.tokens import train_tokenizer
from heedful.errors import DataError, UsageError
from heedful.spec import SpecError, TrainSpec
from heedful.spec.pairs import PairSpec

PAIRS = [("a dog", "ein Hund"), ("two cats", "zwei Katzen"), ("a man, running", "ein Mann, der läuft"), ("snow", "Schnee")]


def table(folder: Path, name: str, heads: tuple[str, str] = ("en", "de")) -> Path:
    path = folder / name
    form = name.removesuffix(".gz").rpartition(".")[2]
    if form == "parquet":
        pa = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        write_table(pa.table({heads[0]: [a for a, _ in PAIRS], heads[1]: [b for _, b in PAIRS]}), path)
        return path
    if form == "jsonl":
        body = "".join(json.dumps({heads[0]: a, heads[1]: b}) + "\n" for a, b in PAIRS)
    else:
        sign = "\t" if form == "tsv" else ","
        body = "".join(sign.join(f'"{cell}"' for cell in row) + "\n" for row in (heads, *PAIRS))
    path.write_bytes(gzip.compress(body.encode()) if name.endswith(".gz") else body.encode())
    return path


def whole(spec: PairSpec) -> set[tuple[str, str]]:
    pairs = load_pairs(spec).part("whole")
    return set(zip(pairs.sources, pairs.targets, strict=True))


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.jsonl", "p.jsonl.gz", "p.parquet"])
@pytest.mark.parametrize("heads", [("en", "de"), ("source", "target"), ("left", "right")])
def test_tables_of_all_forms_with_usual_names_or_two_columns(tmp_path: Path, name: str, heads: tuple[str, str]) -> None:
    assert whole(PairSpec(str(table(tmp_path, name, heads)))) == set(PAIRS)


def test_columns_are_given_by_name_or_by_language(tmp_path: Path) -> None:
    path = str(table(tmp_path, "p.csv"))
    turned = {(b, a) for a, b in PAIRS}
    assert whole(PairSpec(path, pair="de-en")) == turned == whole(PairSpec(path, text="de", target="en"))
    with pytest.raises(DataError, match=r"no column 'fr': found 'de'; data.target=NAME"):
        load_pairs(PairSpec(path, pair="en-fr"))


def test_two_files_side_by_side_and_a_folder_of_them(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        for language, side in (("en", 0), ("de", 1)):
            (tmp_path / f"{part}.{language}").write_text("\n".join(pair[side] for pair in PAIRS) + "\n", encoding="utf-8")
    assert whole(PairSpec(f"{tmp_path}/train.en+{tmp_path}/train.de")) == set(PAIRS)
    corpus = load_pairs(PairSpec(str(tmp_path), pair="en-de"))
    assert [len(corpus.part(part)) for part in ("train", "validation", "test")] == [4, 4, 4]
    (tmp_path / "train.de").write_text("ein Hund\n")
    with pytest.raises(DataError, match=r"has 4 lines and .* has 1"):
        load_pairs(PairSpec(str(tmp_path), pair="en-de"))
    with pytest.raises(DataError, match=r"files of de, en: data\.pair=ONE-OTHER"):
        load_pairs(PairSpec(str(tmp_path)))


def test_what_is_nowhere_or_empty_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="did you mean 'multi30k'"):
        load_pairs(PairSpec("multi30"))
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    with pytest.raises(DataError, match="HEEDFUL_DATA names another place"):
        load_pairs(PairSpec("multi30k"))
    (tmp_path / "half.csv").write_text("en,de\na dog,\n")
    with pytest.raises(DataError, match="row 1: nothing in column 'de'"):
        load_pairs(PairSpec(str(tmp_path / "half.csv")))
    with pytest.raises(SpecError, match="two languages"):
        PairSpec(pair="english")


def test_a_limit_keeps_the_first_and_leaves_what_is_judged(tmp_path: Path) -> None:
    cut, all_of = load_pairs(PairSpec("numbers", limit=100)), load_pairs(PairSpec("numbers"))
    assert cut.part("train").sources == all_of.part("train").sources[:100]
    assert cut.part("test") == all_of.part("test")


@pytest.mark.parametrize("name", MADE)
def test_made_pairs_are_the_same_each_time_and_tell_sources_apart(name: str) -> None:
    pairs = MADE[name]()
    assert pairs == MADE[name]()
    assert len(pairs) == 6000
    assert len(set(pairs.sources)) > 5900


def test_numbers_in_words() -> None:
    assert [words(n) for n in (0, 13, 20, 99, 100, 110, 1001, 999_999)] == [
        "zero", "thirteen", "twenty", "ninety-nine", "one hundred", "one hundred ten", "one thousand one",
        "nine hundred ninety-nine thousand nine hundred ninety-nine",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=60), st.integers(8, 64), st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_batches_hold_every_pair_once_an_epoch_and_few_tokens(sizes: list[tuple[int, int]], tokens: int, seed: int) -> None:
    rows = made(sizes)
    batches = PairBatches(rows, 1, tokens, seed=seed)
    count = len(batches.batches)
    places = torch.cat(batches.batches)
    assert sorted(places.tolist()) == list(range(len(sizes)))
    for mine in batches.batches:
        assert len(mine) == 1 or len(mine) * int(batches.longest[mine].max()) <= tokens
    for _ in range(count + 1):
        batches.draw()
    assert (batches.epoch, batches.place) == (1, 1)


def made(sizes: list[tuple[int, int]]) -> PairRows:
    sides = []
    for column in zip(*sizes, strict=True):
        lengths = torch.tensor(column)
        sides.append(Side(torch.arange(int(lengths.sum())), lengths, lengths.cumsum(0) - lengths))
    return PairRows(sides[0], sides[1], mark=10_000)


def test_a_source_goes_on_where_its_cursor_says() -> None:
    rows = made([(i % 7 + 1, i % 5 + 1) for i in range(40)])
    one, other = PairBatches(rows, 4, seed=3), PairBatches(rows, 4, seed=3)
    for _ in range(13):
        one.draw()
    other.seek(one.cursor())
    for _ in range(12):
        assert all(torch.equal(a, b) for a, b in zip(one.draw(), other.draw(), strict=True))


def test_processes_share_the_batches_of_an_epoch() -> None:
    rows = made([(i % 7 + 1, 3) for i in range(32)])
    both = [PairBatches(rows, 4, share=Share(rank, 2), seed=1) for rank in range(2)]
    drawn = [batch.source[:, 0].tolist() for _ in range(4) for source in both for batch in (source.draw(),)]
    firsts = sorted(first for batch in drawn for first in batch)
    assert firsts == sorted(rows.source.tokens[rows.source.starts].tolist())


def test_rows_are_cut_to_the_context_and_end_with_the_mark() -> None:
    tokenizer = train_tokenizer("char", [" abc"])
    rows = pair_rows(Pairs(("abcabc", "a"), ("b", "c")), tokenizer, context=4)
    batch = rows.batch(torch.tensor([0, 1]))
    assert (rows.cut, rows.mark) == (1, 4)
    assert batch.source.tolist() == [[0, 1, 2, 4], [0, 1, 4, 4]]
    assert batch.lengths.tolist() == [4, 3]
    assert batch.ids.tolist() == [[4, 0, 2], [4, 0, 3]]
    assert batch.labels.tolist() == [[0, 2, 4], [0, 3, 4]]


def test_every_validation_pair_is_judged_once() -> None:
    rows = made([(i % 7 + 1, 3) for i in range(10)])
    places = torch.cat([place for place, _ in every(rows, 4)])
    assert sorted(places.tolist()) == list(range(10))
    with pytest.raises(UsageError, match="pairs stand alone"):
        PairFeed(rows, rows).source(TrainSpec(order="stream"), Share())


@pytest.mark.data
def test_multi30k_has_its_published_sizes() -> None:
    from heedful.data.sources import data_home

    if not (data_home() / "multi30k").is_dir():
        pytest.skip("no multi30k under HEEDFUL_DATA")
    for name, test in (("multi30k", 1000), ("multi30k-2017", 1000), ("multi30k-mscoco", 461), ("multi30k-2018", 1071)):
        corpus = load_pairs(PairSpec(name, pair="en-fr"))
        assert [len(corpus.part(part)) for part in ("train", "validation", "test")] == [29_000, 1_014, test]
    with pytest.raises(DataError, match="has no 'it'"):
        load_pairs(PairSpec("multi30k", pair="en-it"))
