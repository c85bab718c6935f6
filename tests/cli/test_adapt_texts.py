"""Classifiers that spend by need, and smaller ones: exits, dropped tokens, and what is cut out, by the command."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

SETTINGS = "model.context=12 model.width=16 model.layers=3 model.heads=2 train.epochs=12 train.threads=1 data.vocabulary=60"


@pytest.fixture
def run(heedful: Callable, tmp_path: Path) -> Path:
    """A short run on texts whose class is plain."""
    chance = random.Random(0)
    fill = ["the", "a", "film", "plot", "cast", "end", "start", "scene", "music", "light"]
    said = [(" ".join(chance.choices(fill, k=6)), word, label) for _ in range(150) for word, label in (("good", "pos"), ("bad", "neg"))]
    rows = [f"{text} {word},{label}" for text, word, label in said]
    (tmp_path / "reviews.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    words = [word for setting in SETTINGS.split() for word in ("--set", setting)]
    trained = heedful("train", "classify", "--data", "reviews.csv", *words, "--out", "run")
    assert trained.code == 0, trained.error
    return tmp_path / "run"


def test_a_classifier_is_hurried_shortened_and_cut(heedful: Callable, run: Path, refused: Callable) -> None:
    for method in ("exits", "dropping"):
        words = ("--method", method, "--epsilon", "3", "--steps", "5", "--batch", "8", "--slower", "--json")
        said = heedful("adapt", run, *words, "--out", method)
        assert said.code == 0, said.error
        assert f"{method}:" in (run.parent / method / "run.yaml").read_text()
    assert json.loads(said.out)["keep"] < 1
    said = heedful("compress", run, "--heads", "0.5", "--channels", "0.5", "--out", "small", "--json")
    assert said.code == 0, said.error
    assert json.loads(said.out)["saved"]["parameters"][1] < json.loads(said.out)["saved"]["parameters"][0]
    for folder in ("exits", "dropping", "small"):
        assert heedful("evaluate", folder, "--json").code == 0
        assert heedful("predict", folder, "a good film", "--json").code == 0
    refused(heedful("adapt", run, "--data", "reviews.csv", "--out", "x"), 2, "model.kind is encoder", "a language model is")
    refused(heedful("adapt", run, "--method", "dropping", "--after", "3", "--out", "x"), 2, "dropping", "1 to 2 of 3")
