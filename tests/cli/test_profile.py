"""`heedful profile`: tables, objects and a file of a run, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heedful.manage.profile import Profile


@pytest.fixture
def run(heedful: Callable, text: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two steps, and prices kept in a folder of its own."""
    monkeypatch.setenv("HEEDFUL_CACHE", str(text.parent / "cache"))
    said = heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=2", "--set", "model.context=16", "--out", "run")
    assert said.code == 0, said.error
    return text.parent / "run"


def test_it_writes_a_profile_and_says_what_the_heads_do(heedful: Callable, run: Path) -> None:
    said = heedful("profile", run, "--out", "p.json", "--sample", 2, "--threads", 1)
    assert said.code == 0, said.error
    assert "window(8,4)" in said.out
    assert "2 texts of 16 tokens" in said.out
    found = Profile.load(run.parent / "p.json")
    assert (found.phase, found.lengths, found.sequences, found.tokens) == ("prefill", (16,), 2, 32)
    assert {row["option"] for row in found.costs["prices"]} == set(found.options)


def test_objects_and_the_cache(heedful: Callable, run: Path) -> None:
    said = heedful("profile", run, "--phase", "decode", "--option", "h2o(4)", "--option", "drop", "--length", 12, "--json", "--threads", 1)
    assert said.code == 0, said.error
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(row["site"], row["head"]) for row in rows] == [(0, 0), (0, 1)]
    assert set(rows[0]["losses"]["fisher"]) == {"full", "h2o(4)", "drop"}
    found = Profile.load(run.parent / "profile.json")
    assert (found.phase, found.prefill, found.lengths) == ("decode", 11, (12,))


def test_what_it_refuses(heedful: Callable, run: Path, refused: Callable) -> None:
    for words, code, part in (
        (["--option", "widow(3)"], 2, "did you mean 'window'"),
        (["--sample", "0"], 2, "--sample is 0"),
        (["--phase", "both"], 2, "phase"),
        (["--data", "none.txt"], 1, "none.txt"),
    ):
        refused(heedful("profile", run, *words), code, part)


def test_a_model_that_is_not_there(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    said = heedful("profile", tmp_path / "none")
    assert said.code in (1, 2)
    refused(said, said.code, "none")
