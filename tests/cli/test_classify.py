"""The task classify as a user meets it: train, go on, evaluate, predict, explain, and one line on what will not do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

WORDS = {"good": ["fine", "lovely", "great", "warm", "bright"], "bad": ["dull", "cold", "poor", "awful", "grey"]}
ENCODER = ["model.kind=encoder", "model.width=8", "model.heads=2", "model.layers=1", "model.context=12"]
MODELS = {
    "encoder": ENCODER,
    "text_cnn": ["model.kind=text_cnn", "model.embedding=8", "model.filters=4", "model.context=12"],
    "bilstm_attention": ["model.kind=bilstm_attention", "model.embedding=8", "model.hidden=4", "model.context=12"],
    "lstm_cnn": ["model.kind=lstm_cnn", "model.embedding=8", "model.hidden=4", "model.filters=4", "model.gate=se", "model.context=12"],
}
TRAIN = ["train.epochs=null", "train.batch=8", "train.warmup=0", "train.log_every=1", "train.eval_every=5", "train.threads=1"]


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Reviews of two kinds, each known by its words."""
    path = tmp_path / "reviews.csv"
    lines = [
        f"the film was {words[i % 5]} and {words[(i * 3 + 1) % 5]} no {i},{label}" for i in range(40) for label, words in WORDS.items()
    ]
    path.write_text("review,label\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def run(heedful: Callable, table: Path) -> Path:
    """A run of some steps that has learnt the words."""
    said = heedful(
        "train", "classify", "--data", table, *settings(*ENCODER, *TRAIN, "train.steps=40", "train.learning_rate=0.02"), "--out", "run"
    )
    assert said.code == 0, said.error
    return table.parent / "run"


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_trains_beside_the_baseline(heedful: Callable, table: Path, kind: str) -> None:
    said = heedful("train", "classify", "--data", table, *settings(*MODELS[kind], *TRAIN, "train.steps=3"), "--out", "run")
    assert said.code == 0, said.error
    assert said.error.index("parameters") < said.error.index("under a linear SVM: validation accuracy 100.00%")
    assert "best validation accuracy" in said.error
    names = {path.name for path in (table.parent / "run").iterdir()}
    assert names == {"run.yaml", "tokenizer.json", "best.safetensors", "last.safetensors", "state-3.pt", "history.jsonl"}
    label = json.loads(heedful("predict", "run", "a fine film", "--json").out)
    assert label["label"] in WORDS
    assert heedful("explain", "run", "a fine film", "--out", "page.html").code == 0


def test_it_learns_and_says_how_well(heedful: Callable, run: Path) -> None:
    said = heedful("evaluate", run, "--split", "train", "--json")
    found = json.loads(said.out)
    ours, beside = found["rows"].values()
    assert ours["accuracy"] > 0.95
    assert beside["accuracy"] == 1.0
    titles = ["each class", "true class, and what it was taken for", "the scores, and their temperature from the validation texts"]
    assert [listing["title"] for listing in found["listings"]] == titles
    counts = [count for row in found["listings"][1]["rows"] for count in row[1:]]
    assert sum(counts) == ours["texts"]
    written = json.loads((run / "metrics.json").read_text())
    assert written["train"]["models"] == found["rows"]
    shown = heedful("evaluate", run).out
    assert "macro f1" in shown
    assert "precision" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_it_predicts_and_explains(heedful: Callable, run: Path) -> None:
    first, second = map(json.loads, heedful("predict", run, "lovely and warm", "awful and grey", "--json").out.splitlines())
    assert (first["label"], second["label"]) == ("good", "bad")
    assert sum(first["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert heedful("predict", run, "lovely and warm").out.startswith("good (")
    data = json.loads(heedful("explain", run, "lovely and warm", "--layer", "1", "--head", "2").out)
    assert (data["layer"], data["head"], data["label"], len(data["pieces"])) == (1, 2, "good", 3)
    assert sum(word["weight"] for word in data["counted"]) == pytest.approx(1.0, abs=1e-3)
    assert heedful("explain", run, "lovely", "--out", "page.html").code == 0
    assert (run.parent / "page.html").read_text().startswith("<!doctype html>")


def test_a_run_goes_on_with_the_same_curve(heedful: Callable, table: Path) -> None:
    every = ["--data", table, *settings(*ENCODER, *TRAIN, "train.schedule=constant", "model.dropout=0.2")]
    assert heedful("train", "classify", *every, "--set", "train.steps=14", "--out", "whole").code == 0
    assert heedful("train", "classify", *every, "--set", "train.steps=7", "--out", "parts").code == 0
    said = heedful("train", "classify", "--out", "parts", "--resume", "--set", "train.steps=14")
    assert said.code == 0, said.error
    assert losses(table.parent / "parts") == losses(table.parent / "whole")
    table.write_text(table.read_text().replace("warm", "hot"))
    said = heedful("train", "classify", "--out", "parts", "--resume", "--set", "train.steps=15")
    assert said.code == 1
    assert "has changed since the run began" in said.error


def losses(run: Path) -> list[tuple[int, float]]:
    rows = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [(row["step"], row["loss"]) for row in rows if "loss" in row]


def test_a_run_may_begin_with_anothers_weights(heedful: Callable, table: Path, run: Path) -> None:
    words = settings(*ENCODER, *TRAIN, "train.steps=1", "train.learning_rate=1.0e-9", f"train.start={run}")
    assert heedful("train", "classify", "--data", table, *words, "--out", "next").code == 0
    assert json.loads(heedful("predict", "next", "lovely and warm", "--json").out)["label"] == "good"


def test_a_budget_is_kept_and_told(heedful: Callable, table: Path) -> None:
    long = [*ENCODER[:-1], "model.context=128", "model.gate=laa"]
    said = heedful("train", "classify", "--data", table, *settings(*long, *TRAIN, "train.steps=2"), "--budget", "0.5", "--out", "run")
    assert said.code == 0, said.error
    assert "gates and spans pay 1 nats for all that is above 50% of attention" in said.error
    assert "budget: 0.5" in (table.parent / "run" / "run.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "code", "parts"),
    [
        (["--set", "model.kind=transformer"], 2, ("a language model", "encoder")),
        (["--set", "model.labels=[good, grey]"], 2, ("model.labels", "bad, good")),
        (["--set", "train.order=stream"], 2, ("train.order", "shuffled")),
        (["--set", "data.label=stars"], 1, ("no column 'stars'", "'label'")),
        (["--set", "data.keep=middle"], 2, ("keep", "head, tail, ends")),
        (["--data", "imbd"], 1, ("no labelled texts", "'imdb'")),
        (["--budget", "0.01", "--set", "model.context=128"], 2, ("train.budget", "0.01")),
    ],
)
def test_what_will_not_do_is_refused(
    heedful: Callable, refused: Callable, table: Path, words: list[str], code: int, parts: tuple[str, ...]
) -> None:
    data = [] if "--data" in words else ["--data", table]
    refused(heedful("train", "classify", *data, *settings(*ENCODER, *TRAIN), *words, "--out", "run"), code, *parts)
    assert not (table.parent / "run").exists()


def test_generate_refuses_what_is_for_classify(heedful: Callable, refused: Callable, text: Path, tiny: list[str]) -> None:
    for setting, part in (("data.lowercase=true", "data.lowercase"), ("data.label=stars", "data.label"), ("data.keep=tail", "data.keep")):
        refused(heedful("train", "generate", "--data", text, *tiny, "--set", setting, "--out", "run"), 2, part, "classify")
    refused(
        heedful("train", "generate", "--data", text, "--set", "model.kind=encoder", "--out", "run"),
        2,
        "encoder",
        "transformer or recurrent",
    )


def test_a_run_refuses_what_is_for_other_tasks(heedful: Callable, refused: Callable, run: Path, tmp_path: Path) -> None:
    refused(heedful("predict", run, "fine", "--top-k", "3"), 2, "draws nothing")
    refused(heedful("predict", run, " "), 2, "nothing to classify")
    refused(heedful("evaluate", run, "--stride", "3"), 2, "--stride")
    refused(heedful("evaluate", run, "--split", "test"), 1, "no texts", "--split")
    refused(heedful("explain", run, "fine", "--layer", "3"), 2, "--layer 3", "1 layers")
    (tmp_path / "other.csv").write_text("text,label\n" + "hot,spicy\ncold,good\n" * 5)
    refused(heedful("evaluate", run, "--data", "other.csv"), 1, "does not know: spicy")
