from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.conftest import SETTINGS, Heedful
from heedful.manage.plan import Plan


@pytest.fixture
def run(heedful: Heedful, text: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that has learnt next to nothing, and a plan for it."""
    chance = random.Random(0)
    text.write_text(" ".join("".join(chance.choices("abcdefgh", k=chance.randint(1, 7))) for _ in range(1200)))
    monkeypatch.setattr("heedful.manage.prices.store.folder", lambda: text.parent / "cache")
    words = [word for setting in SETTINGS.split() for word in ("--set", setting)]
    steps = ("--set", "train.steps=2", "--set", "data.test=0.3", "--set", "data.validation=0.3", "--set", "model.context=32")
    assert heedful("train", "generate", "--data", text, "--out", "run", *words, *steps).code == 0
    assert heedful("plan", "run", "--operations", "0.9", "--out", "plan.json").code == 0
    return text.parent / "run"


def test_a_plan_is_verified_and_the_report_says_so(run: Path, heedful: Heedful) -> None:
    common = ("--plan", "plan.json", "--threads", "1", "--limit", "8")
    said = heedful("verify", "run", *common, "--epsilon", "1", "--timed", "0", "--out", "report.json", "--promoted", "promoted.json")
    assert said.code == 0, said.error
    assert "The plan holds" in said.out
    held = json.loads(Path("report.json").read_text())
    assert held["passed"]
    assert held["bound"] <= 1
    assert Plan.load("promoted.json").choices == Plan.load("plan.json").choices
    timed = heedful("verify", "run", *common, "--epsilon", "1", "--timed", "1", "--json")
    assert [one["name"] for one in json.loads(timed.out)["timings"]] == ["prefill", "decode", "cache"]


def test_a_plan_that_does_not_hold_is_an_error(run: Path, heedful: Heedful, refused: Callable[..., None]) -> None:
    made = Plan.load("plan.json")
    replace(made, choices=tuple(("drop",) * site.heads for site in made.sites)).save("bad.json")
    said = heedful("verify", "run", "--plan", "bad.json", "--epsilon", "0", "--rounds", "0", "--timed", "0", "--limit", "8")
    refused(said, 1, "does not hold", "above epsilon 0")
    assert "The plan does not hold" in said.out


def test_what_is_missing_or_wrong_is_said_in_one_line(run: Path, heedful: Heedful, refused: Callable[..., None]) -> None:
    refused(heedful("verify", "run", "--plan", "none.json"), 1, "cannot read the plan none.json")
    refused(heedful("verify", "nowhere", "--plan", "plan.json"), 1, "nowhere")
    refused(heedful("verify", "run", "--plan", "plan.json", "--level", "2"), 2, "level", "0.95 would work")
    refused(heedful("verify", "run", "--plan", "plan.json", "--epsilon", "-1"), 2, "0 or more")
    refused(heedful("frontier", "run", "--budgets", "half"), 2, "--budgets", "would work")
    refused(heedful("frontier", "run", "--budgets", "1.5"), 2, "budgets", "below 1")


def test_a_frontier_is_drawn(run: Path, heedful: Heedful) -> None:
    words = ("--resource", "operations", "--budgets", "0.8,0.5", "--limit", "4", "--timed", "1", "--threads", "1")
    said = heedful("frontier", "run", *words, "--out", "frontier.html", "--png", "frontier.png")
    assert said.code == 0, said.error
    assert "planned" in said.out
    assert "80%" in said.out
    whole = Path("frontier.html").read_text()
    assert "heedful frontier run" in whole or "frontier" in whole
    assert Path("frontier.png").read_bytes().startswith(b"\x89PNG")
    found = json.loads(heedful("frontier", "run", *words, "--json").out)
    assert {point["budget"] for point in found["points"]} == {0.8, 0.5}
