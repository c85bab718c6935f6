"""`heedful adapt`: a run fitted to other text, or back to what a plan lost, that evaluates and predicts; or one clear line."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from heedful.data.tokens import load_tokenizer
from heedful.manage.objective import model_hash
from heedful.manage.plan import Plan
from heedful.models.build import build
from heedful.models.checkpoint import restore
from heedful.train.adapt.export import exported

WORDS = ["to be", "not to be,", "or that", "the question:", "is the bee", "tis not"]
OTHER = "\n".join(" ".join(random.Random(line).choices(WORDS, k=6)) for line in range(80))
SHORT = ("--length", "16", "--batch", "4", "--steps", "25", "--json")


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run, and another text of the same letters."""
    (tmp_path / "other.txt").write_text(OTHER)
    monkeypatch.setattr("heedful.manage.prices.store.folder", lambda: tmp_path / "prices")
    return Path(shutil.copytree(trained, tmp_path / "run"))


def loss_of(heedful: Callable, run: str, data: str) -> float:
    said = heedful("evaluate", run, "--data", data, "--json")
    assert said.code == 0, said.error
    found: float = next(iter(json.loads(said.out)["rows"].values()))["loss"]
    return found


@pytest.mark.parametrize("method", ["lora", "prefix", "bottleneck"])
def test_an_adapted_run_is_a_run_that_reads_the_other_text_better(heedful: Callable, run: Path, method: str) -> None:
    if method == "lora":
        pytest.importorskip("peft")
    said = heedful("adapt", run, "--data", "other.txt", "--method", method, "--rate", "0.02", *SHORT, "--out", "new")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["after"]["difference"] < -0.02
    assert loss_of(heedful, "new", "other.txt") < loss_of(heedful, "run", "other.txt")
    assert heedful("predict", "new", "to be", "--max-tokens", "4").code == 0
    assert (run.parent / "new/adapter.safetensors").exists() == (method != "lora")


def test_what_a_plan_lost_is_learnt_back_and_the_plan_fits_the_new_weights(heedful: Callable, run: Path) -> None:
    pytest.importorskip("peft")
    model, _ = restore(run / "best.safetensors", build)
    exported(model, [("full", "drop", "drop", "full"), ("drop", "full", "full", "drop")], 0.5, 16).save(run.parent / "plan.json")
    words = ("--plan", "plan.json", "--distil", "--rate", "0.01")
    said = heedful("adapt", run, *words, *SHORT, "--out", "back")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert 0 < found["after"]["kl"] < 0.8 * found["before"]["kl"]
    new, _ = restore(run.parent / "back/best.safetensors", build)
    plan = Plan.load(run.parent / "back/plan.json")
    assert plan.model == model_hash(new) != model_hash(model)
    small = heedful("compress", "back", "--plan", "back/plan.json", "--out", "small", "--json")
    assert small.code == 0, small.error
    assert set(json.loads(small.out)["lost"]) == {"cut", "plan"}
    assert Plan.load(run.parent / "small/plan.json").options == {"full": 4}
    assert "heads: 2" in (run.parent / "small/run.yaml").read_text()


def test_one_model_and_a_plan_for_each_budget(heedful: Callable, run: Path) -> None:
    said = heedful("adapt", run, "--method", "budget", "--budgets", "0.75,0.5", "--rate", "0.005", *SHORT, "--out", "many")
    assert said.code == 0, said.error
    rows = json.loads(said.out)["budgets"]
    assert rows["0.5"]["trained"]["difference"] < rows["0.5"]["untrained"]["difference"]
    model, _ = restore(run.parent / "many/best.safetensors", build)
    plans = [Plan.load(run.parent / f"many/budget-{share}.json") for share in ("0.75", "0.5")]
    for plan, kept in zip(plans, (6, 4), strict=True):
        plan.refuse(model)
        assert plan.options["full"] == kept
    larger, smaller = ([name for row in plan.choices for name in row] for plan in plans)
    assert all(a == "full" for a, b in zip(larger, smaller, strict=True) if b == "full")


def test_exits_are_kept_in_the_run(heedful: Callable, run: Path) -> None:
    said = heedful(
        "adapt", run, "--method", "exits", "--after", "1", "--epsilon", "0.5", "--rate", "0.02", *SHORT, "--slower", "--out", "quick"
    )
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["layers"] < 2
    assert "exits:" in (run.parent / "quick/run.yaml").read_text()
    difference = loss_of(heedful, "quick", "other.txt") - loss_of(heedful, "run", "other.txt")
    assert abs(difference) > 1e-6
    assert heedful("predict", "quick", "to be", "--max-tokens", "6").code == 0
    assert load_tokenizer(run.parent / "quick/tokenizer.json").size > 2


def test_exits_that_are_slower_are_not_written(heedful: Callable, run: Path, refused: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heedful.tasks.hurried.timed", lambda dense, hurried, source: (2.0, 3.0))
    said = heedful("adapt", run, "--method", "exits", "--after", "1", "--epsilon", "0.5", *SHORT, "--out", "quick")
    assert said.code == 1
    assert "exits make it slower: 3 ms, and 2 without; nothing was written" in said.error.splitlines()[-1]
    assert not (run.parent / "quick").exists()


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (("--distil",), 2, ("--distil", "--plan FILE or --teacher")),
        (("--teacher", "run"), 2, ("--distil beside it",)),
        (("--method", "prefix", "--plan", "p.json"), 2, ("takes no prefix",)),
        (("--method", "budget", "--budgets", "half"), 2, ("--budgets 'half'",)),
        (("--method", "budget", "--budgets", "1.5"), 2, ("above 0 and at most 1",)),
        (("--method", "exits", "--after", "2"), 2, ("exits", "1 to 1 of 2")),
        (("--method", "exits", "--epsilon", "-1"), 2, ("--epsilon is -1",)),
        (("--size", "0"), 2, ("--size is 0",)),
        (("--steps", "0"), 2, ("steps", "above 0")),
        (("--data", "nothing.txt"), 1, ("nothing.txt",)),
    ],
)
def test_bad_requests_are_one_line(
    heedful: Callable, run: Path, refused: Callable, words: tuple[str, ...], code: int, parts: tuple[str, ...]
) -> None:
    refused(heedful("adapt", run, *words, "--out", "new"), code, *parts)
    assert not (run.parent / "new").exists()
