"""The tasks translate and summarise as a user meets them: train, go on, evaluate, predict, explain, and one line on what will not do."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

pytest.importorskip("sacrebleu")

TINY = [
    "data.tokenizer=char", "model.kind=seq2seq", "model.context=24", "model.width=16", "model.heads=2", "model.layers=1",
    "model.mlp_width=16", "train.batch=16", "train.warmup=0", "train.eval_every=4", "train.log_every=1", "train.threads=1",
]  # fmt: skip
WORDS = {"one": "eins", "two": "zwei", "three": "drei", "four": "vier", "five": "fünf"}


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two words each, translated word by word."""
    path = tmp_path / "numbers.tsv"
    lines = [f"{a} {b}\t{WORDS[a]} {WORDS[b]}" for a in WORDS for b in WORDS]
    path.write_text("en\tde\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(heedful: Callable, table: Path) -> Path:
    """A run of some steps, hardly trained."""
    said = heedful("train", "translate", "--data", table, *settings(*TINY, "train.steps=8"), "--out", "run")
    assert said.code == 0, said.error
    return table.parent / "run"


def test_training_says_what_is_learnt_and_keeps_a_whole_run(heedful: Callable, table: Path) -> None:
    said = heedful("train", "translate", "--data", table, *settings(*TINY, "train.steps=8", "train.average=2"), "--out", "run")
    assert said.code == 0, said.error
    assert "train 20, validation 2, test 2 pairs" in said.error or "train 21, validation 2, test 2 pairs" in said.error
    assert "the mean of the last 2 evaluations' weights" in said.error
    names = {path.name for path in (table.parent / "run").iterdir()}
    kept = {"kept-4.safetensors", "kept-8.safetensors"}
    assert names == {"run.yaml", "tokenizer.json", "best.safetensors", "last.safetensors", "state-8.pt", "history.jsonl"} | kept


def test_it_predicts_searches_draws_and_explains(heedful: Callable, run: Path) -> None:
    first, second = map(
        json.loads, heedful("predict", run, "one two", "five four", "--json", "--beams", "3", "--best", "2").out.splitlines()
    )
    assert [first["source"], second["source"]] == ["one two", "five four"]
    assert len(first["best"]) == 2
    assert first["best"][0]["score"] >= first["best"][1]["score"]
    assert first["text"] == first["best"][0]["text"]
    assert heedful("predict", run, "one two", "--beams", "3").out.strip() == first["text"]
    greedy = heedful("predict", run, "one two", "--beams", "1").out
    assert greedy == heedful("predict", run, "one two", "--temperature", "0").out
    drawn = [heedful("predict", run, "one two", "--sample", "--seed", str(seed)).out for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert heedful("explain", run, "one two", "--out", "page.html", "--png", "map.png").code == 0
    assert (run.parent / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "Word by word" in (run.parent / "page.html").read_text(encoding="utf-8")
    record = json.loads(heedful("explain", run, "one two", "--json", "--layer", "1", "--head", "2").out)
    assert record["sources"] == ["one", "two", "■"]
    for word in record["words"]:
        assert abs(sum(one["weight"] for one in word["from"]) - 1) < 0.01


def test_it_says_how_well_beside_the_sources_as_they_are(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("evaluate", run, "--split", "train", "--beams", "2", "--json").out)
    ours, beside = found["rows"].values()
    assert set(ours) - set(beside) == {"loss", "seconds"}
    assert 0 <= ours["bleu_lowercase"] <= 100
    assert "case:lc" in found["protocol"]
    assert "2 beams" in found["protocol"]
    assert json.loads((run / "metrics.json").read_text())["train"]["models"] == found["rows"]
    assert max(map(len, heedful("evaluate", run).out.splitlines()[:6])) <= 80


def test_what_will_not_do_is_said_in_one_line(heedful: Callable, refused: Callable, run: Path, table: Path) -> None:
    refused(heedful("predict", run, " "), 2, "nothing to translate")
    refused(heedful("predict", run, "one", "--stop", "x"), 2, "--stop", "--max-tokens bounds it")
    refused(heedful("predict", run, "one", "--best", "9"), 2, "no more than beams would work")
    refused(heedful("evaluate", run, "--stride", "4"), 2, "--stride")
    refused(heedful("evaluate", run, "--data", "multi31k"), 1, "did you mean 'multi30k'")
    refused(heedful("train", "translate", "--set", "model.kind=encoder", "--out", "other"), 2, "seq2seq")
    refused(heedful("train", "translate", "--data", table, "--set", "data.kind=text", "--out", "other"), 2, "wants pairs")
    refused(heedful("train", "translate", "--data", table, "--set", "data.pair=en-fr", "--out", "other"), 1, "no column 'fr'")
    refused(heedful("explain", run, "one", "--layer", "3"), 2, "layer")


def test_a_search_is_refused_where_nothing_is_searched_for(heedful: Callable, refused: Callable, text: Path, tiny: list[str]) -> None:
    assert heedful("train", "generate", "--data", text, *tiny, "--set", "train.steps=1", "--out", "lm").code == 0
    refused(heedful("predict", "lm", "to be", "--beams", "3"), 2, "--beams", "translate, summarise", "generate")


def test_a_killed_run_goes_on_to_the_same_weights(heedful: Callable, process: Callable, table: Path) -> None:
    """kill -9 once two checkpoints are there; resumed, its last weights are those of a run that was let be, bit for bit."""
    kept = ["model.dropout=0.1", "train.checkpoint_every=2", "train.average=2", "train.schedule=constant"]
    words = ["train", "translate", "--data", str(table), *settings(*TINY, *kept)]
    killed = process(*words, *settings("train.steps=100000"), "--out", "killed")
    while saved(table.parent / "killed") < 4:
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    step = saved(table.parent / "killed")
    steps = f"train.steps={step + 6}"
    assert heedful("train", "translate", "--out", "killed", "--resume", "--set", steps).code == 0
    assert heedful(*words, *settings(steps), "--out", "whole").code == 0
    for name in ("last.safetensors", f"kept-{step + 6}.safetensors"):
        one, other = (weights(table.parent / run / name) for run in ("killed", "whole"))
        assert all(torch.equal(one[key], other[key]) for key in one)


def saved(run: Path) -> int:
    """The newest step that a run can go on from; 0 before the first."""
    return max((int(path.stem.removeprefix("state-")) for path in run.glob("state-*.pt")), default=0)


def weights(path: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(path)


def test_summaries_are_written_picked_and_cited(heedful: Callable) -> None:
    small = ["model.context=64", "model.width=16", "model.heads=2", "model.layers=1", "model.mlp_width=16"]
    data = ["data.limit=64", "data.test=0.004", "data.validation=0.004", "train.batch=16", "train.steps=4", "train.threads=1"]
    assert heedful("train", "summarise", *settings(*small, *data), "--out", "news").code == 0
    text = "The weather was mild. The town of Varlaton opened 12 schools this week. People had waited for years."
    record = json.loads(heedful("predict", "news", text, "--json").out)
    for sentence in record["sentences"]:
        assert text[sentence["start"] : sentence["end"]] == sentence["text"]
    picked = json.loads(heedful("predict", "news", text, "--json", "--extract", "1").out)
    assert picked["text"] == picked["sentences"][0]["text"]
    assert picked["written"] == record["text"]
    assert heedful("predict", "news", text, "--extract", "1").out.strip() == picked["text"]
    found = json.loads(heedful("evaluate", "news", "--split", "test", "--beams", "1", "--json").out)
    assert list(found["rows"]) == ["seq2seq", "a sentence picked by attention", "the first sentence"]
    assert 0 < found["rows"]["the first sentence"]["rouge_l"] < 100
    assert heedful("explain", "news", text, "--out", "page.html").code == 0
