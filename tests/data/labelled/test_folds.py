from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from heedful.data.labelled.folds import share_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import Texts
from heedful.errors import DataError
from heedful.spec.check import SpecError
from heedful.spec.data import DataSpec


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "all.csv"
    path.write_text("text,label\n" + "".join(f"text {i},{'rare' if i % 4 == 0 else 'often'}\n" for i in range(80)))
    return path


def test_every_text_is_tested_once_and_each_fold_has_the_classes_of_the_whole(table: Path) -> None:
    seen: list[str] = []
    for fold in range(5):
        corpus = load_labelled(DataSpec(str(table), folds=5, fold=fold))
        test, learnt = corpus.part("test"), corpus.part("train").texts + corpus.part("validation").texts
        assert Counter(test.labels) == {"often": 12, "rare": 4}
        assert not set(test.texts) & set(learnt)
        assert len(learnt) == 64
        seen += test.texts
    assert sorted(seen) == sorted(f"text {i}" for i in range(80))


def test_more_folds_than_texts_of_a_class_are_refused(table: Path) -> None:
    with pytest.raises(DataError, match="fewer than 30 texts of rare"):
        load_labelled(DataSpec(str(table), folds=30))
    with pytest.raises(SpecError, match="fold: counts from 0 to 4, found 5"):
        DataSpec(folds=5, fold=5)


def test_a_larger_share_holds_the_smaller_one_class_by_class() -> None:
    texts = Texts(tuple(map(str, range(100))), tuple("ab"[i % 10 == 0] for i in range(100)))
    shares = [share_of(texts, share) for share in (0.03, 0.1, 0.5, 1.0)]
    for small, large in pairwise(shares):
        assert set(small.texts) <= set(large.texts)
    assert Counter(shares[0].labels) == {"a": 3, "b": 2}  # two of a class at least
    assert shares[-1] == texts


def test_validation_and_test_are_the_same_whatever_the_share(table: Path) -> None:
    small, whole = (load_labelled(DataSpec(str(table), share=share, test=0.2)) for share in (0.1, 1.0))
    assert small.part("test") == whole.part("test")
    assert small.part("validation") == whole.part("validation")
    assert len(small.part("train")) < len(whole.part("train"))
