"""Sets of the hub and files in other encodings, without a network: the library is stood in for."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from heedful.data.labelled.sources import load_labelled
from heedful.errors import DataError
from heedful.spec.data import DataSpec


class Rows(list[dict[str, Any]]):
    """A part of a set as the library gives it."""

    column_names = ("sentence", "label")
    features: ClassVar[dict[str, Any]] = {"sentence": SimpleNamespace(), "label": SimpleNamespace(names=["neg", "pos"])}


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    asked: list[tuple[str, ...]] = []

    def load_dataset(*names: str) -> dict[str, Rows]:
        asked.append(names)
        if names[0] == "no/such":
            raise ConnectionError("no network\nhere")
        return {
            "train": Rows({"sentence": f"text {i}", "label": i % 2} for i in range(8)),
            "test": Rows([{"sentence": "last", "label": 1}]),
        }

    module = ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return asked


def test_a_set_of_the_hub_has_its_parts_and_its_names(library: list[tuple[str, ...]]) -> None:
    corpus = load_labelled(DataSpec("hf:owner/films/small", validation=0.25))
    assert library == [("owner/films", "small")]
    assert corpus.labels == ("neg", "pos")
    assert corpus.part("test").labels == ("pos",)
    assert (len(corpus.part("train")), len(corpus.part("validation"))) == (6, 2)


def test_what_the_hub_does_not_have_is_told_in_one_line(library: list[tuple[str, ...]]) -> None:
    with pytest.raises(DataError, match="hf:no/such: cannot be had: no network here"):
        load_labelled(DataSpec("hf:no/such"))
    with pytest.raises(DataError, match="no column 'body': found 'sentence', 'label'"):
        load_labelled(DataSpec("hf:owner/films", text="body"))


def test_the_library_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match="pip install datasets"):
        load_labelled(DataSpec("hf:owner/films"))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "gb18030", "shift_jis"])
def test_tables_are_read_in_their_encoding(tmp_path: Path, encoding: str) -> None:
    words = {"latin-1": ("très bien", "três mal"), "gb18030": ("很好", "不好")}.get(encoding, ("とても良い", "良くない"))
    path = tmp_path / "rows.csv"
    path.write_bytes(("text,label\n" + "".join(f"{word},{label}\n" for label, word in enumerate(words) for _ in range(4))).encode(encoding))
    corpus = load_labelled(DataSpec(str(path), encoding=encoding))
    assert set(corpus.part("train").texts) == set(words)
