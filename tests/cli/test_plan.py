"""`heedful plan`: a plan, a grid and totals of a run, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from heedful.manage.plan import Plan
from heedful.manage.prices.work import Setting


@pytest.fixture(autouse=True)
def own_prices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stub(kind: object, options: list, setting: Setting) -> list:
        return [tuple((heads, 0.1 + heads * option.attended(setting.length) * 1e-3) for heads in (1, 2)) for option in options]

    monkeypatch.setattr("heedful.manage.prices.prices.measured", stub)
    monkeypatch.setattr("heedful.manage.prices.store.folder", lambda: tmp_path / "prices")


@pytest.fixture
def run(heedful: Callable, text: Path, tiny: list[str]) -> Path:
    """A run of two steps."""
    said = heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=2", "--set", "model.context=16", "--out", "run")
    assert said.code == 0, said.error
    return text.parent / "run"


def test_it_profiles_plans_and_draws(heedful: Callable, run: Path) -> None:
    said = heedful("plan", run, "--operations", "0.7", "--threads", 1)
    assert said.code == 0, said.error
    assert "layers.0.attention" in said.out
    assert "70% of operations in prefill at 16 tokens" in " ".join(said.out.replace("│", " ").replace("┃", " ").split())
    assert "decided by" in said.out
    found = Plan.load(run.parent / "plan.json")
    assert found.predicted.operations <= 0.7 * found.dense.operations
    assert set(found.joint) >= {"fisher", "dropped_mass"}


def test_from_a_profile_as_an_object(heedful: Callable, run: Path) -> None:
    assert heedful("profile", run, "--out", "p.json", "--threads", 1).code == 0
    words = ("--profile", "p.json", "--milliseconds", "0.6", "--bytes", "1KiB", "--estimator", "michel", "--out", "m.json", "--json")
    said = heedful("plan", run, *words, "--threads", 1)
    assert said.code == 0, said.error
    held = json.loads(said.out)
    assert held["estimator"] == "michel"
    assert held["budget"] == {"milliseconds": "0.6", "operations": None, "bytes": "1KiB", "length": 16, "phase": "prefill"}
    assert held == json.loads((run.parent / "m.json").read_text())
    assert held["predicted"]["bytes"] <= 1024


def test_steps(heedful: Callable, run: Path) -> None:
    said = heedful("plan", run, "--bytes", "0.6", "--phase", "decode", "--length", 12, "--threads", 1)
    assert said.code == 0, said.error
    found = Plan.load(run.parent / "plan.json")
    assert (found.budget.phase, found.length) == ("decode", 12)
    assert found.predicted.bytes <= 0.6 * found.dense.bytes


def test_what_it_refuses(heedful: Callable, run: Path, refused: Callable) -> None:
    for words, code, part in (
        ([], 2, "milliseconds=0.5"),
        (["--milliseconds", "40"], 2, "'40ms'"),
        (["--bytes", "64mb"], 2, "MiB"),
        (["--operations", "0.5", "--phase", "both"], 2, "phase"),
        (["--operations", "0.5", "--profile", "none.json"], 1, "none.json"),
        (["--operations", "0.5", "--estimator", "fischer"], 2, "did you mean 'fisher'"),
        (["--operations", "0.5", "--data", "none.txt"], 1, "none.txt"),
    ):
        refused(heedful("plan", run, *words), code, part)


def test_a_profile_of_another_model(heedful: Callable, run: Path, text: Path, tiny: list[str], refused: Callable) -> None:
    assert heedful("profile", run, "--out", "p.json", "--threads", 1).code == 0
    assert heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=3", "--out", "other").code == 0
    refused(heedful("plan", "other", "--profile", "p.json", "--operations", "0.5", "--length", 16), 2, "the profile is of the model")
