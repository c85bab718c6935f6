"""Rationales as targets of attention, as a user meets them: a run on a set whose readers marked the reason, and one line where none did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sklearn")


def test_texts_without_marks_are_refused(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    rows = [f"a {word} thing,{label}" for label, words in (("good", "fine warm"), ("bad", "dull grey")) for word in words.split()]
    (tmp_path / "things.csv").write_text("text,label\n" + "\n".join(rows * 3) + "\n")
    refused(heedful("train", "classify", "--data", "things.csv", "--set", "train.rationale=1", "--out", "run"), 2, "toxic-spans")


def test_a_run_learns_from_marks_and_goes_on(heedful: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "data" / "toxic-spans"
    home.mkdir(parents=True)
    said = [("you are a total idiot today", "idiot"), ("what a stupid idea that was", "stupid"), ("this is a lovely warm day", "")]
    rows = []
    for number in range(12):
        text, word = said[number % 3]
        text = f"{text} {number}"
        first = text.find(word) if word else 0
        rows.append(f'"{json.dumps(list(range(first, first + len(word))))}","{text}"')
    for name in ("train", "trial", "test"):
        (home / f"tsd_{name}.csv").write_text("spans,text\n" + "\n".join(rows) + "\n")
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path / "data"))
    given = ["data.tokenizer=word", "model={kind: encoder, width: 16, layers: 1, heads: 2, context: 16}", "train.rationale=1.0"]
    train = ["train={steps: 6, batch: 4, warmup: 0, eval_every: 3, order: shuffled, threads: 1, rationale: 1.0}"]
    words = [part for setting in (*given, *train) for part in ("--set", setting)]
    assert heedful("train", "classify", "--data", "toxic-spans", *words, "--out", "run").code == 0
    steps = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert any("loss" in each for each in steps)
    told = heedful("explain", "run", "--compare", "--json", "--limit", "3", "--methods", "quick,attention")
    assert told.code == 0, told.error
    assert heedful("train", "classify", "--out", "run", "--resume", "--set", "train.steps=8").code == 0
