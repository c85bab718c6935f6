"""`heedful explain --method` on runs of every task, as a user meets it: the answer, a page, a figure, a comparison, a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("sacrebleu")
pytest.importorskip("PIL")

TRAIN = ["train.warmup=0", "train.log_every=1", "train.threads=1", "train.batch=8"]
WRITER = ["data.tokenizer=word", "model.kind=seq2seq", "model.context=16", "model.width=16", "model.heads=2", "model.layers=1"]
MATCHER = ["model.width=16", "model.heads=2", "model.lexical=8", "model.context=12", "train.epochs=null"]
RANKER = ["data.kind=interactions", "model.kind=ranker", "model.context=8", "model.width=8", "model.heads=2", "model.layers=1"]
VIT = ["model.kind=vit", "model.patch=2", "model.width=16", "model.layers=1", "model.heads=2", "train.epochs=null"]
SCENES = ["data.kind=scenes", "data.size=24", "data.items=2", "data.train=24", "data.validation=4", "data.test=4", "train.epochs=null"]
DETECTOR = [*SCENES, "model.kind=detector", "model.stem=[8,8]", "model.width=16", "model.layers=1", "model.queries=3"]


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


def trained(heedful: Callable, task: str, words: list[str], steps: int, *given: object) -> str:
    said = heedful("train", task, *given, *settings(*words, *TRAIN, f"train.steps={steps}", f"train.eval_every={steps}"), "--out", "run")
    assert said.code == 0, said.error
    return "run"


def explained(heedful: Callable, run: str, text: str, *options: str) -> dict:
    said = heedful("explain", run, text, *options)
    assert said.code == 0, said.error
    return dict(json.loads(said.out))


def compared(heedful: Callable, run: str, *options: str) -> dict:
    said = heedful("explain", run, "--compare", "--json", "--limit", "2", "--split", "train", *options)
    assert said.code == 0, said.error
    return dict(json.loads(said.out))


def test_a_translation(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    verbs = {"walk": "I_WALK", "run": "I_RUN", "jump": "I_JUMP", "look": "I_LOOK"}
    lines = [f"{a} and {b}\t{verbs[a]} {verbs[b]}" for a in verbs for b in verbs]
    (tmp_path / "said.tsv").write_text("en\tde\n" + "\n".join(lines * 2) + "\n")
    run = trained(heedful, "translate", [*WRITER, "train.learning_rate=0.01"], 60, "--data", "said.tsv")
    found = explained(heedful, run, "walk and run", "--method", "auto")
    assert found["method"] == "quick"
    assert found["read_text"] == "walk and run"
    assert [piece.strip("␣") for piece in found["pieces"]] == ["walk", "and", "run"]
    word = found["written"][1]
    one = explained(heedful, run, "walk and run", "--target", "2", "--contrast", "I_LOOK" if word != "I_LOOK" else "I_RUN")
    assert (len(one["scores"]), one["answer"]) == (4, word)
    files = ("--out", "why.html", "--png", "why.png", "--svg", "why.svg")
    assert heedful("explain", run, "walk and run", "--target", "1", "--method", "relevance", *files).code == 0
    assert "Word by word" in (tmp_path / "why.html").read_text()
    refused(heedful("explain", run, "walk and run", "--target", "dance"), 2, "no word of what was written", word)
    refused(heedful("explain", run, "walk and run", "--method", "rollout"), 2, "across two")
    refused(heedful("explain", run, "--compare", "--longest", "4"), 2, "--longest")
    table = compared(heedful, run, "--methods", "quick,attention,occlusion")
    assert {"points", "precision", "comprehensiveness"} <= set(table["methods"]["quick"])


def test_a_match(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    classes = {"lost_card": "lost stolen gone vanished", "new_pin": "pin code number digits"}
    lines = [f"please help with my {words.split()[i % 4]} thing {i},{name}" for i in range(12) for name, words in classes.items()]
    (tmp_path / "asked.csv").write_text("question,intent\n" + "\n".join(lines) + "\n")
    run = trained(heedful, "match", MATCHER, 10, "--data", "asked.csv")
    found = explained(heedful, run, "my stolen thing", "--method", "auto", "--top", "3")
    assert found["method"] == "measured"
    assert len(found["pieces"]) == 3 + len(found["matches"][0]["entry"].split())
    assert "stolen" in found["counted"][0]["token"]
    other = explained(heedful, run, "my stolen thing", "--target", "lost_card", "--contrast", "new_pin")
    assert other["answer"] == "lost_card"
    assert heedful("explain", run, "my stolen thing", "--method", "occlusion", "--out", "page.html").code == 0
    assert "the entry" in (tmp_path / "page.html").read_text()
    refused(heedful("explain", run, "my thing", "--method", "quick"), 2, "counts have no gradient")
    assert compared(heedful, run, "--methods", "measured,occlusion")["best"] == "measured"


def test_a_recommendation(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    rows = [f"u{user},i{(user + step) % 12},{1_000 * step + user}" for user in range(12) for step in range(8)]
    (tmp_path / "shop" / "interactions.csv").write_text("user,item,time\n" + "\n".join(rows) + "\n")
    run = trained(heedful, "recommend", [*RANKER, "model.content=null", "train.epochs=null"], 10, "--data", "shop")
    found = explained(heedful, run, "i7 i1 i2 i3", "--method", "rollout")
    assert (found["pieces"], found["answer"]) == (["i7", "i1", "i2", "i3"], found["items"][0]["item"])
    assert explained(heedful, run, "i7 i1 i2", "--target", "i4", "--contrast", "i9")["contrast"] == "i9"
    assert heedful("explain", run, "i7 i1 i2 i3", "--method", "auto", "--out", "page.html").code == 0
    refused(heedful("explain", run, "i7 i1", "--target", "i7"), 2, "not recommended here")
    assert compared(heedful, run, "--methods", "measured,occlusion,attention")["texts"] == 2


def test_pictures_and_scenes(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    run = trained(heedful, "image", VIT, 3)
    found = explained(heedful, run, "test:0", "--method", "relevance", "--target", "three", "--contrast", "eight")
    assert (found["answer"], found["contrast"], len(found["scores"])) == ("three", "eight", 16)
    assert heedful("explain", run, "test:0", "--method", "quick", "--out", "page.html", "--png", "why.png").code == 0
    refused(heedful("explain", run, "test:0", "--target", "eleven"), 2, "did you mean")
    assert set(compared(heedful, run, "--methods", "quick,rollout")["methods"]) == {"quick", "rollout", "random"}


def test_boxes_point(heedful: Callable, refused: Callable) -> None:
    run = trained(heedful, "image", DETECTOR, 3)
    found = explained(heedful, run, "test:0", "--method", "quick")
    assert len(found["scores"]) == 36
    refused(heedful("explain", run, "test:0", "--target", "99"), 2, "1 to 3")
    assert "points" in compared(heedful, run, "--methods", "quick,attention")["methods"]["attention"]


def test_patches_say_why_not(heedful: Callable, refused: Callable) -> None:
    filler = ["model.kind=filler", "model.patch=2", "model.width=16", "model.layers=1", "model.heads=2", "train.epochs=null"]
    run = trained(heedful, "image", filler, 2)
    refused(heedful("explain", run, "test:0", "--method", "quick"), 2, "have no probability")
    refused(heedful("explain", run, "--compare"), 2, "filler")


LISTENER = [
    "data.limit=48",
    "model.stem=[4,4]",
    "model.encoder={kind: conformer, width: 16, layers: 1, heads: 2, kernel: 5, inner: 16}",
    "model.decoder={kind: transformer, layers: 1, heads: 2}",
    "train.learning_rate=0.01",
    "train.epochs=null",
]
CAPTIONER = [
    "data.size=24",
    "data.scenes=24",
    "data.items=2",
    "model={kind: captioner, stem: [4, 8], width: 16, decoder_layers: 1, heads: 2}",
    "train.epochs=null",
]


def test_recordings_are_compared_over_their_seconds(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    run = trained(heedful, "speech", LISTENER, 30)
    table = compared(heedful, run, "--methods", "quick,relevance")
    assert set(table["methods"]) == {"quick", "random"}
    assert "no stretches of time" in table["skipped"]["relevance"]
    over = table["methods"]["quick"]["over_random"]
    assert over["low"] <= over["mean"] <= over["high"]
    refused(heedful("explain", run, "--compare", "--longest", "4"), 2, "--longest")
    said = heedful("explain", run, "train:0", "--method", "quick", "--out", "page.html", "--png", "why.png", "--svg", "why.svg")
    assert said.code == 0, said.error
    page, figure = (tmp_path / "page.html").read_text(), (tmp_path / "why.svg").read_text()
    assert "hertz (mel scale)" in page
    assert "arrow keys move over the cells" in page
    assert figure.startswith("<?xml")
    assert heedful("explain", run, "train:0", "--out", "looked.html", "--png", "looked.png").code == 0
    assert "Choose a word" in (tmp_path / "looked.html").read_text()


def test_captions_are_compared_over_their_cells(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    run = trained(heedful, "caption", CAPTIONER, 10)
    table = compared(heedful, run, "--methods", "quick,attention")
    assert set(table["methods"]) == {"quick", "attention", "random"}
    assert table["texts"] == 2
    refused(heedful("explain", run, "--compare", "--split", "whole"), 2, "part by part")
    assert heedful("explain", run, "test:0", "--out", "looked.html").code == 0
    assert "Choose a word" in (tmp_path / "looked.html").read_text()
