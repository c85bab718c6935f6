"""The task recommend as a user meets it: train, go on, evaluate, predict, explain, and one line on what will not do."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("scipy")

from heedful.cli.config import presets, settled
from heedful.spec.interactions import LogDataSpec
from heedful.tasks.recommend.preparing import prepared
from heedful.train.loop import Trainer

MODEL = ["data.kind=interactions", "model.kind=ranker", "model.context=8", "model.width=8", "model.heads=2", "model.layers=1"]
TRAIN = ["train.epochs=null", "train.batch=8", "train.warmup=0", "train.log_every=1", "train.eval_every=20", "train.threads=1"]


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Who bought what: everybody goes round the same shelf, each from another place, and the last days bring a new item."""
    folder = tmp_path / "shop"
    folder.mkdir()
    rows = [f"u{user},i{(user + step) % 12},{1_000 * step + user}" for user in range(24) for step in range(8)]
    rows += [f"u{user},new,{7_900 + user}" for user in range(3)]
    (folder / "interactions.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    items = [f"i{i},Thing {i},shelf {i % 3}" for i in range(12)]
    (folder / "items.csv").write_text("item,title,shelf\n" + "\n".join([*items, "new,Thing 3,shelf 0"]) + "\n")
    return folder


@pytest.fixture
def run(heedful: Callable, shop: Path) -> Path:
    """A run that has learnt the round."""
    words = settings(
        *MODEL, *TRAIN, "train.steps=60", "train.learning_rate=0.03", "model.votes={neighbours: 6, reach: 3}", "model.content={most: 4}"
    )
    said = heedful("train", "recommend", "--data", shop, *words, "--out", "run")
    assert said.code == 0, said.error
    assert "beside it, validation NDCG@10: popularity" in said.error
    assert "one moment for everybody" in said.error
    assert "heedful evaluate run --split test" in said.error
    return shop.parent / "run"


def test_it_learns_and_stands_beside_every_baseline(heedful: Callable, run: Path) -> None:
    said = heedful("evaluate", run, "--split", "test", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    assert list(found["rows"]) == ["attention + votes + content", "popularity", "recency", "ItemKNN", "Markov + ItemKNN", "EASE"]
    ours, popular = found["rows"]["attention + votes + content"], found["rows"]["popularity"]
    assert ours["ndcg@10"] > popular["ndcg@10"]
    assert ours["hr@10_margin"] >= 0
    assert "each ranked among all 13 items" in found["protocol"]
    kinds = {row[0]: row for row in found["listings"][0]["rows"]}
    assert kinds["new"][1] == 3
    written = json.loads((run / "metrics.json").read_text())
    assert written["test"]["models"] == found["rows"]
    shown = heedful("evaluate", run).out
    assert "hr@10 margin" in shown.replace("\n", " ") or "hr@10" in shown
    assert max(map(len, shown.splitlines())) <= 80 or "targets" in shown


def test_anybodys_history_is_ranked(heedful: Callable, run: Path) -> None:
    first = json.loads(heedful("predict", run, "i1 i2 i3", "--json", "--top-k", "3").out)
    assert first["items"][0]["item"] == "i4"
    assert first["items"][0]["title"] == "Thing 4"
    assert len(first["items"]) == 3
    assert not {"i1", "i2", "i3"} & {item["item"] for item in first["items"]}
    assert heedful("predict", run, "i1 i2 i3").out.startswith("  1. Thing 4 [i4]")
    asked = {
        "history": ["i1"],
        "times": [5],
        "new": {"x": {"title": "Thing 9", "attributes": ["shelf=shelf 0"]}},
        "candidates": ["x", "i7"],
    }
    both = json.loads(heedful("predict", run, json.dumps(asked), "--json").out)
    assert {item["item"] for item in both["items"]} == {"x", "i7"}
    assert sum(item["probability"] for item in both["items"]) == pytest.approx(1.0, abs=1e-5)
    assert [item.get("new") for item in both["items"] if item["item"] == "x"] == [True]
    assert len(json.loads(heedful("predict", run, "", "--json").out)["items"]) == 10  # nobody in particular


def test_it_says_what_a_recommendation_leans_on(heedful: Callable, run: Path) -> None:
    data = json.loads(heedful("explain", run, "i7 i1 i2 i3").out)
    assert data["explained"] == data["items"][0]["item"] == "i4"
    assert data["leans_on"][0]["item"] == "i3"  # the round goes on from the last
    assert data["leans_on"][0]["lost_nats"] > 0
    assert sum(item["attention"] for item in data["leans_on"]) == pytest.approx(1.0, abs=1e-3)
    assert heedful("explain", run, "i1 i2", "--layer", "1", "--head", "2", "--out", "page.html").code == 0
    page = (run.parent / "page.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "Thing 3" in page


def test_a_run_goes_on_with_the_same_curve(heedful: Callable, shop: Path) -> None:
    words = settings(*MODEL, *TRAIN, "train.schedule=constant", "model.dropout=0.2", "model.content={most: 4}")
    every = ["--data", shop, *words]
    assert heedful("train", "recommend", *every, "--set", "train.steps=14", "--out", "whole").code == 0
    assert heedful("train", "recommend", *every, "--set", "train.steps=7", "--out", "parts").code == 0
    said = heedful("train", "recommend", "--out", "parts", "--resume", "--set", "train.steps=14")
    assert said.code == 0, said.error
    assert losses(shop.parent / "parts") == losses(shop.parent / "whole")
    assert (shop.parent / "parts" / "last.safetensors").stat().st_size == (shop.parent / "whole" / "last.safetensors").stat().st_size
    table = shop / "interactions.csv"
    table.write_text(table.read_text().replace("u1,i1,1001", "u1,i9,1001").replace("u2,i2,2", "u2,i11,2"))
    said = heedful("train", "recommend", "--out", "parts", "--resume", "--set", "train.steps=15")
    assert (said.code, "has changed since the run began" in said.error) == (1, True), said.error


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_curve(heedful: Callable, process: Callable[..., subprocess.Popen[str]], shop: Path) -> None:
    words = settings(*MODEL, *TRAIN, "train.steps=400", "train.checkpoint_every=5")
    assert heedful("train", "recommend", "--data", shop, *words, "--out", "whole").code == 0
    started = process("train", "recommend", "--data", str(shop), *words, "--out", "killed")
    until = time.monotonic() + 120
    while not (shop.parent / "killed" / "last.safetensors").is_file() and time.monotonic() < until:
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert heedful("train", "recommend", "--out", "killed", "--resume").code == 0
    assert losses(shop.parent / "killed") == losses(shop.parent / "whole")


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["--set", "model.kind=encoder"], 2, ("model.kind", "ranker")),
        (["--set", "data.kind=text"], 2, ("data.kind", "interactions")),
        (["--set", "model.vocabulary=5"], 2, ("model.vocabulary is 5", "12")),
        (["--set", "train.order=stream"], 2, ("train.order", "shuffled")),
        (["--set", "data.item=thing"], 1, ("no column 'thing'", "'item'")),
        (["--set", "data.split=weeks"], 2, ("split", "leave-one-out")),
        (["--set", "model.votes={neighbours: 3}", "--set", "model.loss=sampled"], 2, ("votes", "softmax")),
        (["--data", "simulated-raeder"], 1, ("did you mean 'simulated-reader'",)),
    ],
)
def test_what_will_not_do_is_refused(
    heedful: Callable, refused: Callable, shop: Path, words: list[str], code: int, parts: tuple[str, ...]
) -> None:
    data = [] if "--data" in words else ["--data", shop]
    refused(heedful("train", "recommend", *data, *settings(*MODEL, *TRAIN), *words, "--out", "run"), code, *parts)
    assert not (shop.parent / "run").exists()


def test_a_run_refuses_what_it_cannot_answer(heedful: Callable, refused: Callable, run: Path) -> None:
    refused(heedful("predict", run, "i1 i22"), 2, "unknown item 'i22'", "did you mean")
    refused(heedful("predict", run, '{"history": "i1"}'), 2, "wants a list")
    refused(heedful("predict", run, '{"past": []}'), 2, "'past'", "history")
    refused(heedful("predict", run, '{"history": ["i1"], "times": [1, 2]}'), 2, "1 items and 2 times")
    refused(heedful("predict", run, "{"), 2, "JSON")
    refused(heedful("predict", run, "i1", "--temperature", "0.5"), 2, "draws nothing", "--top-k")
    refused(heedful("evaluate", run, "--stride", "3"), 2, "--stride")
    refused(heedful("explain", run, ""), 2, "empty history")
    refused(heedful("explain", run, "i1", "--layer", "3"), 2, "--layer 3", "1 layers")


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("recommend-")])
def test_a_preset_takes_a_step(name: str, shop: Path) -> None:
    spec = settled("recommend", name, ["train.epochs=null", "train.steps=1", "train.log_every=1", "train.batch=4", "train.precision=no"])
    assert isinstance(spec.data, LogDataSpec)
    job = prepared(replace(spec, data=LogDataSpec(str(shop), core=2))).job
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert torch.isfinite(torch.tensor(trainer.history.rows[0]["loss"]))
    assert any(not torch.equal(before[key], value) for key, value in job.model.state_dict().items())
