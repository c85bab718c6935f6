"""`heedful tune`: a study that finds a configuration, keeps to limits, stops trials early and goes on after Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

optuna = pytest.importorskip("optuna")

from heedful.spec.task import RunSpec  # noqa: E402
from heedful.spec.yaml import load  # noqa: E402

VARY = ("--vary", "model.width=[8, 16]", "--vary", "train.learning_rate={low: 1e-4, high: 1e-1, log: true}")


def study(store: Path) -> optuna.Study:
    return optuna.load_study(study_name="heedful", storage=f"sqlite:///{store}")


def test_a_study_leaves_a_configuration_that_train_takes(heedful: Callable, text: Path, tiny: list[str]) -> None:
    common = ("generate", "--data", text, *tiny, "--set", "train.steps=10")
    mask = ("--vary", "model.attention.mask=[[], {name: window, size: 4}]", "--vary", "model.gate=[null, se]")
    said = heedful("tune", *common, *VARY, *mask, "--trials", "5", "--pruner", "none", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["trials"]["complete"] == 5
    out = text.parent / "tuned/generate"
    best = load(out / "best.yaml", RunSpec)
    assert best.model.width == found["values"]["model.width"]
    assert best.train.learning_rate == pytest.approx(found["values"]["train.learning_rate"])
    rows = list(csv.DictReader((out / "trials.csv").read_text().splitlines()))
    assert min(float(row["value"]) for row in rows) == pytest.approx(found["loss"])
    assert (out / "parallel.png").read_bytes().startswith(b"\x89PNG")
    assert "http" not in (out / "study.html").read_text().replace("http-equiv", "")


def test_models_beyond_the_limits_are_not_trained(heedful: Callable, text: Path, tiny: list[str]) -> None:
    common = ("generate", "--data", text, *tiny, "--set", "train.steps=2", "--vary", "model.width=[8, 64]")
    said = heedful("tune", *common, "--trials", "2", "--parameters", "4000", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["values"]["model.width"] == 8
    assert found["costs"]["parameters"] <= 4000
    for trial in study(text.parent / "tuned/generate/study.db").trials:
        assert (trial.params["model.width"] == 8) == (trial.state == optuna.trial.TrialState.COMPLETE)
    wide = heedful("tune", *common, "--trials", "1", "--parameters", "10", "--out", "none")
    assert wide.code == 1
    assert "beyond the limits" in wide.error.splitlines()[-1]


def test_a_trial_that_promises_little_is_stopped_early(heedful: Callable, text: Path, tiny: list[str]) -> None:
    common = ("generate", "--data", text, *tiny, "--set", "train.steps=20", "--vary", "train.learning_rate=[1e-9, 2e-2]")
    said = heedful("tune", *common, "--trials", "9", "--json")
    assert said.code == 0, said.error
    ended = json.loads(said.out)["trials"]
    assert ended["stopped early"] >= 1
    assert sum(ended.values()) == 9


def test_a_store_goes_on_where_it_stood(heedful: Callable, text: Path, tiny: list[str]) -> None:
    common = ("generate", "--data", text, *tiny, "--set", "train.steps=2", *VARY, "--store", "kept.journal")
    assert heedful("tune", *common, "--trials", "2").code == 0
    again = heedful("tune", *common, "--trials", "3", "--json")
    assert sum(json.loads(again.out)["trials"].values()) == 3
    assert "2 of them done before" in again.error


@pytest.mark.slow
def test_ctrl_c_leaves_a_study_that_goes_on(process: Callable, heedful: Callable, text: Path, tiny: list[str]) -> None:
    common = ("tune", "generate", "--data", str(text), *tiny, "--set", "train.steps=100000", "--set", "train.eval_every=100000", *VARY)
    running: subprocess.Popen[str] = process(*common, "--store", "s.db", "--trials", "2")
    try:
        store, until = text.parent / "s.db", time.monotonic() + 60
        while not (store.is_file() and store.stat().st_size and trials_of(store)):
            assert time.monotonic() < until
            assert running.poll() is None, running.communicate()
            time.sleep(0.2)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert "the same command goes on" in error
    first = study(store).trials
    assert [trial.state.name for trial in first] == ["FAIL", "WAITING"]
    assert first[1].system_attrs["fixed_params"] == first[0].params


def trials_of(store: Path) -> int:
    try:
        return sum(len(trial.params) == 2 for trial in study(store).trials)
    except Exception:
        return 0


def test_a_classifier_is_judged_by_its_errors(heedful: Callable, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("text,label\n" + "".join(f"good {i} film,pos\nbad {i} film,neg\n" for i in range(30)))
    small = ("model.context=8", "model.width=8", "model.layers=1", "model.heads=2", "train.steps=3", "train.epochs=null", "train.threads=1")
    words = [word for setting in small for word in ("--set", setting)]
    said = heedful(
        "tune", "classify", "--data", "reviews.csv", *words, "--vary", "model.pooling=[mean, attention]", "--trials", "2", "--json"
    )
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert found["judged"] == "error"
    assert 0.0 <= found["loss"] <= 1.0


@pytest.mark.slow
def test_workers_share_a_study(process: Callable, text: Path, tiny: list[str]) -> None:
    common = ("tune", "generate", "--data", str(text), *tiny, "--set", "train.steps=5", *VARY)
    running = process(*common, "--trials", "6", "--workers", "2", "--json")
    out, error = running.communicate(timeout=120)
    assert running.returncode == 0, error
    assert sum(json.loads(out)["trials"].values()) == 6


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((), ("nothing varies", "--vary")),
        (("--vary", "model.width"), ("model.width", "field=VALUES")),
        (("--vary", "model.width=8"), ("model.width", "choices")),
        (("--vary", "model.wdith=[8, 16]"), ("wdith", "did you mean 'width'")),
        (("--vary", "model.mlp=[tanh, relu]"), ("model.mlp", "unknown choice")),
        (("--vary", "model.width={low: 9, high: 2}"), ("low must be below high",)),
        (("--vary", "train.learning_rate={low: 0.0, high: 2.0, log: true}"), ("log",)),
        ((*VARY, "--trials", "0"), ("--trials is 0",)),
        ((*VARY, "--milliseconds", "-1"), ("milliseconds", "above 0")),
    ],
)
def test_what_cannot_be_tuned_is_refused_in_one_line(
    heedful: Callable, text: Path, tiny: list[str], refused: Callable, words: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    refused(heedful("tune", "generate", "--data", text, *tiny, *words), 2, *parts)


def test_another_study_in_the_store_is_refused(heedful: Callable, text: Path, tiny: list[str], refused: Callable) -> None:
    common = ("tune", "generate", "--data", text, *tiny, "--set", "train.steps=1", "--trials", "1", "--store", "s.db")
    assert heedful(*common, *VARY).code == 0
    refused(heedful(*common, "--vary", "model.width=[8, 24]"), 2, "varies other fields", "--store")
    (text.parent / "bad.db").write_text("this is no database, " * 100)
    refused(heedful(*common[:-1], "bad.db", *VARY), 1, "bad.db", "no store")
