"""Settings that a task would not read are refused, not passed over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heedful.errors import UsageError
from heedful.spec.classifier import NgramSpec, TextCNNSpec
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.task import RunSpec
from heedful.spec.train import TrainSpec
from heedful.tasks.classify.classify import Classify
from heedful.tasks.classify.preparing import prepared as classifier
from heedful.tasks.generate import Generate
from heedful.tasks.task import Start
from heedful.tasks.training import prepared

UNREAD: dict[str, Any] = {
    "text": "body",
    "label": "kind",
    "lowercase": True,
    "keep": "head",
    "folds": 3,
    "share": 0.5,
    "weights": "balanced",
    "noise": "typos",
    "vectors": ("lines.txt",),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_text_that_goes_on_has_no_classes(name: str) -> None:
    with pytest.raises(UsageError, match=f"data.{name} is for texts with classes"):
        prepared(RunSpec(data=replace(DataSpec(), **{name: UNREAD[name]})))


@pytest.mark.parametrize("setting", [{"rationale": 0.5}, {"learn": "masked"}])
def test_what_classifiers_learn_by_is_refused_elsewhere_and_nothing_is_left(setting: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("to be or not to be\n" * 200, encoding="utf-8")
    spec = RunSpec(
        data=DataSpec(str(tmp_path / "text.txt")),
        model=DecoderSpec(context=8, width=8, layers=1, heads=1),
        train=TrainSpec(steps=1, batch=2, **setting),
    )
    with pytest.raises(UsageError, match=f"train.{next(iter(setting))} is for texts with classes"):
        Generate().train(spec, Start(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_words_begin_in_one_place_only(tmp_path: Path) -> None:
    rows = "text,label\n" + "good fun,yes\nbad luck,no\n" * 20
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "lines.txt").write_text("good days bad days\nother words here\n" * 30, encoding="utf-8")
    model = NgramSpec(width=0, beside=TextCNNSpec(embedding=4, filters=2, widths=(1,), context=16))
    data = DataSpec(str(tmp_path / "rows.csv"), tokenizer="runs")
    first = RunSpec(task="classify", data=data, model=model, train=TrainSpec(steps=1, batch=4))
    Classify().train(first, Start(tmp_path / "first"))
    again = replace(
        first, data=replace(data, vectors=(str(tmp_path / "lines.txt"),)), train=replace(first.train, start=str(tmp_path / "first"))
    )
    with pytest.raises(UsageError, match=r"data\.vectors and train\.start"):
        classifier(again)
