"""`heedful compress`: a smaller run that evaluates and predicts, within an epsilon, or one clear line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def test_a_compressed_run_is_a_run(heedful: Callable, run: Path) -> None:
    said = heedful("compress", run, "--heads", "0.5", "--channels", "0.5", "--int8", "--out", "small", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["saved"]["bytes"][1] < 0.8 * found["saved"]["bytes"][0]
    assert set(found["lost"]) == {"cut", "int8"}
    assert json.loads((run.parent / "small/compression.json").read_text()) == found
    assert "shapes:" in (run.parent / "small/run.yaml").read_text()
    for command in (("evaluate", "small", "--json"), ("predict", "small", "to be", "--max-tokens", "4"), ("explain", "small", "to be")):
        assert heedful(*command).code == 0
    assert heedful("compress", run, "--channels", "0.5", "--gates", "se", "--gate-steps", "4", "--out", "small", "--overwrite").code == 0


def test_more_stays_until_epsilon_holds_or_nothing_is_written(heedful: Callable, run: Path, refused: Callable) -> None:
    said = heedful("compress", run, "--channels", "0.1", "--epsilon", "0.3", "--out", "small", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["lost"]["cut"]["bound"] <= 0.3
    said = heedful("compress", run, "--heads", "0.25", "--epsilon", "1e-9", "--out", "none")
    assert said.code == 1
    assert "nothing was written" in said.error.splitlines()[-1]
    assert not (run.parent / "none").exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((), ("nothing to take away", "--heads")),
        (("--heads", "1.5"), ("--heads is 1.5",)),
        (("--gates", "se"), ("--channels",)),
        (("--int8", "--epsilon", "0"), ("--epsilon is 0",)),
        (("--heads", "0.5", "--plan", "p.json"), ("--heads and --plan",)),
    ],
)
def test_bad_requests_are_one_line(heedful: Callable, run: Path, refused: Callable, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    refused(heedful("compress", run, *words, "--out", "small"), 2, *parts)
