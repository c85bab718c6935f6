"""From training to explaining, by the command: what a run's folder holds, and what each command says of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from heedful.models.checkpoint import load_checkpoint


@pytest.fixture
def run(heedful: Callable, text: Path, tiny: list[str]) -> Path:
    """A run of four steps."""
    said = heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=4", "--out", "run")
    assert said.code == 0, said.error
    return text.parent / "run"


def test_training_prints_a_summary_first_and_leaves_a_whole_run(heedful: Callable, text: Path, tiny: list[str]) -> None:
    said = heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=4", "--out", "run")
    assert said.code == 0, said.error
    assert said.error.index("parameters") < said.error.index("validation loss")
    assert "best validation loss" in said.error
    names = {path.name for path in (text.parent / "run").iterdir()}
    assert names == {"run.yaml", "tokenizer.json", "best.safetensors", "last.safetensors", "state-4.pt", "history.jsonl"}


def test_a_run_begins_with_the_weights_and_tokens_of_another(heedful: Callable, run: Path, text: Path, tiny: list[str]) -> None:
    other = text.parent / "other.txt"
    other.write_text("that is: not to be, or to be.\n" * 60)
    still = ["--set", f"train.start={run}", "--set", "train.steps=1", "--set", "train.learning_rate=1e-30", "--set", "train.weight_decay=0"]
    said = heedful("train", "generate", "--data", other, *tiny, *still, "--set", "model.context=16", "--out", "on")
    assert said.code == 0, said.error
    first, second = (load_checkpoint(folder / "best.safetensors") for folder in (run, text.parent / "on"))
    assert first.tokenizer == second.tokenizer
    assert all(torch.equal(first.tensors[name], second.tensors[name]) for name in first.tensors)
    said = heedful("train", "generate", "--data", other, *tiny, *still, "--set", "model.width=16", "--out", "wide")
    assert said.code == 1
    assert "made for another model" in said.error
    assert not (text.parent / "wide").exists()


def test_the_recurrent_model_trains_by_the_same_command(heedful: Callable, text: Path) -> None:
    settings = [
        "data.tokenizer=word",
        "model.kind=recurrent",
        "model.embedding=4",
        "model.hidden=6",
        "model.context=5",
        "train.order=stream",
    ]
    words = [part for setting in settings for part in ("--set", setting)]
    said = heedful("train", "generate", "--data", text, *words, "--set", "train.steps=3", "--set", "train.batch=2", "--out", "run")
    assert said.code == 0, said.error
    assert "RecurrentLM" in said.error
    assert heedful("predict", "run", "to be", "--max-tokens", "4").out.startswith("to be")


def test_evaluate_prints_a_table_and_writes_metrics(heedful: Callable, run: Path) -> None:
    said = heedful("evaluate", run, "--baselines")
    assert said.code == 0
    assert "trigram" in said.out
    assert max(map(len, said.out.splitlines())) <= 80
    found = json.loads(heedful("evaluate", run, "--json").out)
    written = json.loads((run / "metrics.json").read_text())
    assert written["validation"]["models"] == found["rows"]


def test_predict_streams_text_or_writes_json_lines(heedful: Callable, run: Path) -> None:
    said = heedful("predict", run, "to be", "not", "--max-tokens", "7", "--seed", "5", "--json")
    first, second = map(json.loads, said.out.splitlines())
    assert (first["tokens"], first["seed"], second["prompt"]) == (7, 5, "not")
    assert heedful("predict", run, "to be", "--max-tokens", "7", "--seed", "5").out == f"to be{first['text']}\n"
    assert heedful("predict", run, "--max-tokens", "3").code == 0
    cut = heedful("predict", run, "to be", "--max-tokens", "7", "--seed", "5", "--stop", first["text"][3], "--stop", "XYZ")
    assert cut.out == f"to be{first['text'][: first['text'].index(first['text'][3])]}\n"


def test_predict_reads_prompts_from_standard_input(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "heedful", "predict", str(run), "--stdin", "--max-tokens", "2", "--json"],
        input="to be\nor not\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [json.loads(line)["prompt"] for line in done.stdout.splitlines()] == ["to be", "or not"]


def test_explain_writes_a_page_or_data(heedful: Callable, run: Path) -> None:
    said = heedful("explain", run, "to be", "--max-tokens", "5", "--out", "page.html")
    assert (said.code, said.out.strip()) == (0, "page.html")
    assert (run.parent / "page.html").read_text().startswith("<!doctype html>")
    data = json.loads(heedful("explain", run, "to be", "--max-tokens", "5", "--layer", "1", "--head", "2").out)
    assert (data["layer"], data["head"], len(data["looked"])) == (1, 2, 5)


def test_a_run_goes_on_where_it_stopped(heedful: Callable, text: Path, tiny: list[str]) -> None:
    both = ["--data", text, *tiny, "--set", "train.log_every=1", "--set", "train.schedule=constant"]
    assert heedful("train", "generate", *both, "--set", "train.steps=6", "--out", "whole").code == 0
    assert heedful("train", "generate", *both, "--set", "train.steps=3", "--out", "parts").code == 0
    said = heedful("train", "generate", "--out", "parts", "--resume", "--set", "train.steps=6")
    assert said.code == 0, said.error
    assert losses(text.parent / "parts") == losses(text.parent / "whole")


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def test_control_c_leaves_a_run_that_goes_on(
    heedful: Callable, text: Path, tiny: list[str], process: Callable[..., subprocess.Popen[str]]
) -> None:
    words = ["--data", str(text), *tiny, "--set", "train.steps=100000", "--set", "train.log_every=1", "--out", "run"]
    with process("train", "generate", *words) as running:
        history = text.parent / "run" / "history.jsonl"
        deadline = time.monotonic() + 120
        while not history.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        error = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    last = error.strip().splitlines()[-1]
    assert "--resume goes on" in last
    assert "Traceback" not in error
    stopped = losses(text.parent / "run")[-1][0]
    said = heedful("train", "generate", "--out", "run", "--resume", "--set", f"train.steps={stopped + 2}")
    assert said.code == 0, said.error
    assert losses(text.parent / "run")[-1][0] == stopped + 2
