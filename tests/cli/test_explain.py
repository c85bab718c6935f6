"""`heedful explain` as a user meets it: a reason, a figure, a table of methods, and one line on what will not do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

WORDS = (("good", ["fine", "lovely", "warm", "bright"]), ("bad", ["awful", "grey", "cold", "dull"]))
MODEL = [
    "data.tokenizer=word",
    "model={kind: encoder, width: 16, layers: 1, heads: 2, context: 16, dropout: 0.0}",
    "train={steps: 40, batch: 8, learning_rate: 0.02, warmup: 0, eval_every: 40, order: shuffled, threads: 1}",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two moods."""
    from heedful.__main__ import main

    folder = tmp_path_factory.mktemp("explained")
    rows = [f"the film was {a} and {b},{label}" for label, words in WORDS for a in words for b in words]
    (folder / "films.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    given = [word for setting in MODEL for word in ("--set", setting)]
    assert main(["train", "classify", "--data", str(folder / "films.csv"), *given, "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_reason_is_signed_and_measured(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("explain", run, "the film was lovely and warm").out)
    assert (found["method"], found["answer"], len(found["scores"]), len(found["pieces"])) == ("quick", "good", 6, 6)
    assert {each["token"].strip("␣") for each in found["counted"][:2]} == {"lovely", "warm"}
    against = json.loads(heedful("explain", run, "the film was lovely and grey", "--target", "good", "--contrast", "bad").out)
    scores = dict(zip(against["pieces"], against["scores"], strict=True))
    assert scores["␣lovely"] > 0 > scores["␣grey"]


def test_methods_pages_and_figures(heedful: Callable, run: Path) -> None:
    for method in ("gim", "relevance", "rollout", "attention", "head_ablation", "quick"):
        found = json.loads(heedful("explain", run, "a lovely film", "--method", method).out)
        assert found["method"] == method
    files = ("--out", "why.html", "--png", "why.png", "--svg", "why.svg")
    said = heedful("explain", run, "a lovely film", *files)
    assert (said.code, said.out.split()) == (0, ["why.html", "why.png", "why.svg"])


def test_comparing_settles_the_runs_default(heedful: Callable, run: Path) -> None:
    told = heedful("explain", run, "--compare", "--limit", "6", "--split", "train", "--methods", "quick,attention,occlusion,measured")
    assert told.code == 0
    for word in ("random", "occlusion", "NAOPC", "explain.json"):
        assert word in told.out
    kept = json.loads((run / "explain.json").read_text())
    assert kept["best"] in ("quick", "measured", "occlusion")
    found = json.loads(heedful("explain", run, "a lovely film").out)
    assert found["method"] == kept["best"]
    assert found["standing"]["texts"] == 6
    again = json.loads(heedful("explain", run, "--compare", "--limit", "6", "--split", "train", "--methods", "quick", "--json").out)
    assert again["methods"]["quick"] == kept["methods"]["quick"]


def test_what_will_not_do(heedful: Callable, refused: Callable, run: Path) -> None:
    refused(heedful("explain", run, "fine", "--method", "roll"), 2, "rollout")
    refused(heedful("explain", run, "fine", "--target", "nice"), 2, "good", "bad")
    refused(heedful("explain", run, "fine", "--method", "gim", "--layer", "1"), 2, "--layer")
    refused(heedful("explain", run, "fine", "--layer", "1", "--png", "a.png"), 2, "no figure")
    refused(heedful("explain", run, "fine", "--compare"), 2, "--compare")
    refused(heedful("explain", run, "--compare", "--limit", "0"), 2, "--limit")
    refused(heedful("explain", run, "--compare", "--methods", "gym"), 2, "gim")
    before = (run / "explain.json").read_text() if (run / "explain.json").exists() else None
    (run / "explain.json").write_text("{")
    refused(heedful("explain", run, "fine"), 1, "explain.json", "--compare")
    (run / "explain.json").unlink() if before is None else (run / "explain.json").write_text(before)


def test_a_language_models_next_word(heedful: Callable, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("the cat sat on the mat. " * 60)
    small = [
        "data.tokenizer=char",
        "model={width: 16, layers: 1, heads: 2, context: 16}",
        "train={steps: 5, batch: 4, warmup: 0, eval_every: 5, threads: 1}",
    ]
    given = [word for setting in small for word in ("--set", setting)]
    assert heedful("train", "generate", "--data", tmp_path / "t.txt", *given, "--out", "lm").code == 0
    found = json.loads(heedful("explain", "lm", "the ca", "--method", "auto", "--target", "t", "--contrast", "m").out)
    assert (found["answer"], found["contrast"], len(found["scores"])) == ("t", "m", 6)
    table = json.loads(heedful("explain", "lm", "--compare", "--limit", "3", "--longest", "12", "--methods", "quick,rollout", "--json").out)
    assert set(table["methods"]) == {"quick", "rollout", "random"}
