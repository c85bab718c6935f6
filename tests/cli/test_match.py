"""The task match as a user meets it: train, go on, evaluate, predict, explain, an index that changes, one line on what will not do."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from heedful.cli.config import presets, settled
from heedful.spec import QuestionSpec
from heedful.tasks.match.preparing import prepared
from heedful.train.loop import Trainer

pytest.importorskip("sklearn")

CLASSES = {"lost_card": "lost stolen gone vanished", "new_pin": "pin code number digits", "top_up": "money transfer deposit add"}
MODEL = ["model.width=16", "model.heads=2", "model.lexical=8", "model.context=12"]
PAIRS = ["model.hard=2", "model.rerank=1", "model.contrast=0.5", "model.best=2"]
TRAIN = ["train.epochs=null", "train.batch=8", "train.warmup=0", "train.log_every=1", "train.eval_every=10", "train.threads=1"]


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Questions of three classes, each known by its words, and some of none."""
    path = tmp_path / "questions.csv"
    lines = [f"please help with my {words.split()[i % 4]} thing {i},{name}" for i in range(24) for name, words in CLASSES.items()]
    path.write_text("question,intent\n" + "\n".join(lines + ["will it rain,oos"] * 2) + "\n")
    return path


@pytest.fixture
def run(heedful: Callable, table: Path) -> Path:
    """A run of some steps that has learnt the words."""
    every = settings(*MODEL, *TRAIN, "train.steps=40", "train.learning_rate=0.01")
    said = heedful("train", "match", "--data", table, *every, "--out", "run")
    assert said.code == 0, said.error
    assert said.error.index("parameters") < said.error.index("BM25: validation accuracy")
    return table.parent / "run"


def test_it_learns_and_says_how_well_beside_the_baselines(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("evaluate", run, "--split", "train", "--json").out)
    assert list(found["rows"]) == ["matcher", "BM25", "tf-idf cosine", "tf-idf, linear SVM"]
    assert found["rows"]["matcher"]["accuracy"] > 0.95
    assert found["rows"]["matcher"]["map"] >= found["rows"]["matcher"]["accuracy"]
    assert json.loads((run / "metrics.json").read_text())["train"]["models"] == found["rows"]
    shown = heedful("evaluate", run).out
    assert "recall@10" in shown
    assert "one question at a time" in shown


def test_it_predicts_refuses_and_explains(heedful: Callable, run: Path) -> None:
    first, second = map(json.loads, heedful("predict", run, "my card was stolen", "which digits", "--json").out.splitlines())
    assert (first["matches"][0]["label"], second["matches"][0]["label"]) == ("lost_card", "new_pin")
    assert sum(match["probability"] for match in first["matches"]) == pytest.approx(1.0, abs=1e-5)
    strange = json.loads(heedful("predict", run, "ξψφ ωλμ", "--json").out)
    assert (strange["refused"], strange["label"]) == (True, None)
    assert json.loads(heedful("predict", run, "my card", "--abstain", "1", "--json").out)["refused"]
    assert heedful("predict", run, "ξψφ ωλμ").out.startswith("nothing that is known")
    data = json.loads(heedful("explain", run, "my money transfer").out)
    assert data["met_by"] == "the cosine of the words' states"
    assert [part["word"] for part in data["counted"]] == ["my", "money", "transfer"]
    assert sum(part["weight"] for part in data["counted"]) == pytest.approx(1.0, abs=1e-3)
    assert heedful("explain", run, "my money", "--out", "page.html").code == 0
    assert (run.parent / "page.html").read_text().startswith("<!doctype html>")


def test_entries_come_and_go_without_training(heedful: Callable, run: Path, tmp_path: Path) -> None:
    before = (run / "best.safetensors").read_bytes()
    size = len(json.loads((run / "index" / "segment-0.json").read_text())["texts"])
    added = json.loads(
        heedful("index", "add", run, "wie ist das wetter", "regnet es morgen", "--label", "weather", "--answer", "Look up.", "--json").out
    )
    assert (added["done"], added["numbers"], added["size"]) == ("added", [size, size + 1], size + 2)
    found = json.loads(heedful("index", "search", run, "regnet es", "--json").out)
    assert (found["matches"][0]["label"], found["matches"][0]["answer"]) == ("weather", "Look up.")
    assert found["matches"][0]["entry"] == "regnet es morgen"
    assert json.loads(heedful("predict", run, "das wetter", "--json").out)["matches"][0]["label"] == "weather"
    (tmp_path / "more.csv").write_text("question,label\nkaputt,broken\nganz kaputt,broken\nregnet,weather\nwetter,weather\n")
    assert "4 entries added" in heedful("index", "add", run, "--data", "more.csv").out
    assert "entry removed" in heedful("index", "remove", run, "--number", str(size)).out
    assert json.loads(heedful("index", "remove", run, "--label", "weather", "--json").out)["size"] == size + 2
    assert "weather" not in heedful("index", "search", run, "regnet es", "--top", "9").out
    assert (run / "best.safetensors").read_bytes() == before


def test_a_reranker_reads_the_best_again(heedful: Callable, table: Path) -> None:
    every = settings(*MODEL, *PAIRS, *TRAIN, "train.steps=20", "train.learning_rate=0.01")
    said = heedful("train", "match", "--data", table, *every, "--out", "run")
    assert said.code == 0, said.error
    data = json.loads(heedful("explain", "run", "my stolen thing", "--layer", "1", "--head", "2").out)
    assert data["met_by"] == "the re-ranker's cross attention"
    assert sum(pair["weight"] for pair in data["met"]) <= 3.0 + 1e-3


def test_members_are_indexed_side_by_side_and_explained(heedful: Callable, table: Path) -> None:
    every = settings(*MODEL, *TRAIN, "model.members=2", "train.steps=40", "train.learning_rate=0.01")
    assert heedful("train", "match", "--data", table, *every, "--out", "two").code == 0
    found = json.loads(heedful("evaluate", "two", "--split", "train", "--json").out)
    assert found["rows"]["matcher"]["accuracy"] > 0.95
    assert heedful("index", "add", "two", "where is my parcel", "--label", "parcel").code == 0
    assert json.loads(heedful("predict", "two", "where is my parcel", "--json").out)["label"] == "parcel"
    assert json.loads(heedful("explain", "two", "please help with my stolen thing 3", "--json").out)["label"] == "lost_card"


def test_a_run_goes_on_with_the_same_curve_and_keeps_its_entries(heedful: Callable, table: Path) -> None:
    every = ["--data", table, *settings(*MODEL, *PAIRS, *TRAIN, "train.schedule=constant")]
    assert heedful("train", "match", *every, "--set", "train.steps=14", "--out", "whole").code == 0
    assert heedful("train", "match", *every, "--set", "train.steps=7", "--out", "parts").code == 0
    assert heedful("index", "add", "parts", "a new one", "--label", "new").code == 0
    said = heedful("train", "match", "--out", "parts", "--resume", "--set", "train.steps=14")
    assert said.code == 0, said.error
    assert losses(table.parent / "parts") == losses(table.parent / "whole")
    assert json.loads(heedful("index", "search", "parts", "a new one", "--json").out)["matches"][0]["label"] == "new"
    said = heedful("train", "match", *every, "--set", "train.steps=1", "--out", "parts", "--overwrite")
    assert said.code == 0, said.error
    assert "new" not in json.loads((table.parent / "parts" / "index" / "index.json").read_text())["answers"]
    assert "a new one" not in heedful("index", "search", "parts", "a new one", "--json", "--top", "9").out.partition("matches")[2]


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("match-")])
def test_a_preset_takes_a_step(table: Path, name: str) -> None:
    spec = settled("match", name, ["train.epochs=null", "train.steps=1", "train.log_every=1"])
    trainer = Trainer(prepared(replace(spec, data=QuestionSpec(str(table)))).job)
    trainer.step()
    trainer.log()
    assert math.isfinite(trainer.history.rows[0]["loss"])


@pytest.mark.slow
def test_a_killed_run_goes_on_bit_for_bit(heedful: Callable, process: Callable, table: Path) -> None:
    every = ["--data", str(table), *settings(*MODEL, *PAIRS, *TRAIN, "train.schedule=constant", "train.checkpoint_every=5")]
    assert heedful("train", "match", *every, "--set", "train.steps=60", "--out", "whole").code == 0
    killed = process("train", "match", *every, "--set", "train.steps=60", "--out", "parts")
    while not list((table.parent / "parts").glob("state-*.pt")) and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert heedful("train", "match", "--out", "parts", "--resume").code == 0
    assert losses(table.parent / "parts") == losses(table.parent / "whole")


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["--set", "model={kind: transformer}"], 2, ("transformer", "matcher")),
        (["--set", "model.labels=[good, grey]"], 2, ("model.labels", "lost_card")),
        (["--set", "train.order=stream"], 2, ("train.order", "shuffled")),
        (["--set", "data.answer=stars"], 1, ("no column 'stars'", "'intent'")),
        (["--set", "model.rerank=1"], 2, ("hard", "1 or more")),
        (["--set", "model.hard=1"], 2, ("train.batch is 8", "groups of 3")),
        (["--set", "model.vocabulary=7"], 2, ("model.vocabulary is 7",)),
        (["--set", "data={kind: text, source: x.txt}"], 2, ("data.kind", "questions")),
        (["--data", "baking77"], 1, ("did you mean 'banking77'",)),
    ],
)
def test_what_will_not_do_is_refused(
    heedful: Callable, refused: Callable, table: Path, words: list[str], code: int, parts: tuple[str, ...]
) -> None:
    data = [] if "--data" in words else ["--data", table]
    refused(heedful("train", "match", *data, *settings(*MODEL, *TRAIN, "train.steps=1"), *words, "--out", "run"), code, *parts)
    assert not (table.parent / "run").exists()


def test_a_run_refuses_what_is_for_other_tasks_or_not_there(heedful: Callable, refused: Callable, run: Path) -> None:
    refused(heedful("predict", run, "fine", "--top-k", "3"), 2, "draws nothing")
    refused(heedful("predict", run, " "), 2, "no question")
    refused(heedful("evaluate", run, "--stride", "3"), 2, "--stride")
    refused(heedful("evaluate", run, "--split", "test"), 1, "no questions", "--split")
    refused(heedful("explain", run, "fine", "--head", "1"), 2, "no re-ranker")
    refused(heedful("evaluate", run, "--noise", "typos"), 2, "--noise", "match")
    refused(heedful("index", "add", run), 2, "--label")
    refused(heedful("index", "add", run, "text"), 2, "--label NAME")
    refused(heedful("index", "remove", run), 2, "--number")
    refused(heedful("index", "remove", run, "--number", "999"), 1, "999")
    refused(heedful("index", "remove", run, "--label", "nothing"), 1, "lost_card")
    refused(heedful("index", "search", run, "text", "--top", "0"), 2, "--top is 0")
    (run / "index" / "index.json").write_text("{}")
    refused(heedful("index", "search", run, "text"), 1, "damaged")
