"""The task caption as a user meets it: train, go on, evaluate, predict, ask, explain, and one line on what will not do."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

pytest.importorskip("sklearn")
pytest.importorskip("PIL")
pytest.importorskip("sacrebleu")
from PIL import Image

from heedful.__main__ import main
from heedful.cli.config import presets, settled
from heedful.errors import HeedfulError
from heedful.models.seq2seq.search import Hypothesis
from heedful.tasks.caption.answer import Captioned
from heedful.tasks.caption.preparing import prepared
from heedful.train.loop import Trainer

DATA = ["data.size=24", "data.scenes=40", "data.items=2", "data.validation=0.2", "data.test=0.2"]
TRAIN = ["train.epochs=null", "train.batch=8", "train.warmup=0", "train.log_every=1", "train.eval_every=5", "train.threads=1"]
MODELS = {
    "captioner": ["model={kind: captioner, stem: [4, 8], blocks: 1, width: 16, decoder_layers: 2, heads: 2}"],
    "show_attend_tell": ["model={kind: show_attend_tell, stem: [4, 8], width: 16, embedding: 8, hidden: 12}"],
}


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture(scope="module", params=MODELS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few steps on scenes of digits."""
    folder = tmp_path_factory.mktemp("caption") / "run"
    words = settings(*DATA, *MODELS[request.param], *TRAIN, "train.steps=6")
    assert main(["train", "caption", *words, "--out", str(folder)]) == 0
    return folder


def test_a_run_is_measured_with_pairs_it_never_saw(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("evaluate", run, "--split", "test", "--beams", "2", "--json").out)
    ours, strange, beside = found["rows"].values()
    assert list(found["rows"])[1:] == ["pairs never seen together", "the commonest text of each kind"]
    for row in (ours, strange):
        assert row["pictures"] == 8
        assert all(0.0 <= row[name] <= 1.0 for name in ("exact", "answers", "pointing", "pointing_by_chance"))
    assert beside["answers"] > 0.0
    kinds, things = found["listings"]
    assert {row[0] for row in kinds["rows"]} == {"caption", "what", "where", "how many"}
    assert sum(row[2] for row in things["rows"]) == 8
    assert "never together while learning: " in found["protocol"]
    written = json.loads((run / "metrics.json").read_text())
    assert written["test"]["models"] == found["rows"]
    assert max(map(len, heedful("evaluate", run).out.splitlines()[:8])) <= 110


def test_pictures_are_described_and_questions_answered(heedful: Callable, run: Path, tmp_path: Path) -> None:
    (line,) = heedful("predict", run, "test:0", "--json").out.splitlines()
    record = json.loads(line)
    assert set(record) == {"image", "text", "score", "log_probability", "tokens", "truth"}
    assert record["truth"].split()[0] in ("a", "an")
    greedy = json.loads(heedful("predict", run, "test:0", "--json", "--beams", "1").out)
    assert greedy["log_probability"] <= 0.0
    Image.new("CMYK", (40, 20)).save(tmp_path / "print.tiff")
    said = heedful("predict", run, "print.tiff", "test:1", "--question", "how many sixes are there?", "--best", "2", "--json")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["question"] for line in lines] == ["how many sixes are there?"] * 2
    assert lines[0]["best"][0]["score"] >= lines[0]["best"][1]["score"]
    one, two = (heedful("predict", run, "test:0", "--sample", "--seed", "7").out for _ in range(2))
    assert one == two


def test_an_explanation_says_where_each_word_looked(heedful: Callable, run: Path, tmp_path: Path) -> None:
    words = ["--question", "how many sixes are there?", "--max-tokens", "4"]
    record = json.loads(heedful("explain", run, "test:2", *words, "--layer", "1", "--head", "1").out)
    assert (record["layer"], record["head"]) == (1, 1)
    for word in record["words"]:
        assert len(word["rows"]) == len(word["rows"][0]) == 6
        assert math.isclose(sum(map(sum, word["rows"])), 1.0, abs_tol=36 * 5e-5)  # each of 36 shares is rounded to four figures
        assert all(0.0 < side < 1.0 for side in word["peak"])
    said = heedful("explain", run, "test:2", "--max-tokens", "4", "--out", "page.html")
    assert said.code == 0, said.error
    assert "data:image/png" in (tmp_path / "page.html").read_text()


def test_a_picture_of_which_nothing_is_said_is_shown_as_it_is(
    heedful: Callable, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Captioned, "hypotheses", [Hypothesis([], -1.0, -1.0)])
    said = heedful("explain", run, "test:0", "--out", "page.html", "--json")
    assert said.code == 0, said.error
    assert json.loads(said.out)["words"] == []
    assert "data:image/png" in (tmp_path / "page.html").read_text()


def test_somebodys_own_captions_are_learnt(heedful: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for i in range(8):
        Image.new("RGB", (20, 30), (250, 20, 20) if i % 2 else (20, 20, 250)).save(folder / f"{i}.jpg")
        (folder / f"{i}.txt").write_text("a red wall\n" if i % 2 else "a blue wall\n")
    words = settings(*MODELS["captioner"], *TRAIN, "train.steps=30", "train.learning_rate=0.01", "data.validation=0.3", "data.test=0")
    said = heedful("train", "caption", "--data", "mine", *words, "--out", "run")
    assert said.code == 0, said.error
    row = json.loads(heedful("evaluate", "run", "--json").out)["rows"]["captioner"]
    assert set(row) == {"exact", "bleu", "chrf", "loss", "pictures"}
    texts = [json.loads(line)["text"] for line in heedful("predict", "run", "mine", "--json").out.splitlines()]
    assert len(texts) == 8
    assert texts == ["a blue wall", "a red wall"] * 4


def test_what_will_not_do_is_said_in_one_line(heedful: Callable, refused: Callable, run: Path, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture")
    refused(heedful("predict", run, "words.png"), 1, "words.png: not a picture")
    refused(heedful("predict", run), 2, "no picture was named")
    refused(heedful("predict", run, "test:99"), 2, "test:0 to test:7")
    refused(heedful("predict", run, "test:0", "--question", "how many " * 50), 1, "model.context")
    refused(heedful("predict", run, "test:0", "--stop", "x"), 2, "--stop")
    refused(heedful("evaluate", run, "--split", "whole"), 2, "part by part")
    refused(heedful("evaluate", run, "--stride", "4"), 2, "--stride")
    refused(heedful("evaluate", run, "--folds", "3"), 2, "--folds")
    refused(heedful("explain", run, "test:0", "--layer", "9"), 2, "layer")
    (tmp_path / "empty").mkdir()
    refused(heedful("train", "caption", "--data", "empty", "--out", "other"), 1, "captions.csv")
    refused(heedful("train", "caption", "--data", "nowhere", "--out", "other"), 1, "nowhere")
    refused(heedful("train", "caption", "--set", "data.items=5", "--out", "other"), 2, "1 to 4")
    refused(heedful("train", "caption", "--set", "model.size=64", "--out", "other"), 2, "model.size is 64")
    refused(heedful("train", "caption", "--set", "model={kind: seq2seq}", "--out", "other"), 2, "captioner")
    refused(heedful("train", "caption", "--set", "data={kind: images}", "--out", "other"), 2, "data.kind: wants captions")
    assert not (tmp_path / "other").exists()


def test_a_question_to_another_task_is_refused(heedful: Callable, refused: Callable, trained: Path) -> None:
    refused(heedful("predict", trained, "to be", "--question", "or not?"), 2, "--question", "generate")


def test_a_run_goes_on_bit_for_bit(heedful: Callable, tmp_path: Path) -> None:
    words = settings(*DATA, *MODELS["show_attend_tell"], *TRAIN, "train.checkpoint_every=5", "train.steps=12")
    assert heedful("train", "caption", *words, "--out", "whole").code == 0
    after, count = Trainer.after, 0

    def stop(self: Trainer, asked: object) -> None:
        nonlocal count
        after(self, asked)  # type: ignore[arg-type]
        count += 1
        if count == 8:
            raise HeedfulError("stopped where nothing is saved")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "after", stop)
        assert heedful("train", "caption", *words, "--out", "part").code != 0
    assert heedful("train", "caption", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part


@pytest.mark.slow
def test_a_killed_run_goes_on(process: Callable, heedful: Callable, tmp_path: Path) -> None:
    words = settings(*DATA, *MODELS["captioner"], *TRAIN, "train.steps=60", "train.checkpoint_every=10")
    assert heedful("train", "caption", *words, "--out", "whole").code == 0
    child = process("train", "caption", *words, "--out", "part")
    while not list((tmp_path / "part").glob("state-[2-9]*.pt")) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert heedful("train", "caption", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("caption-")])
def test_a_preset_takes_a_step(name: str) -> None:
    spec = settled("caption", name, ["data.source=digits", "train.epochs=null", "train.steps=1", "train.batch=4", "train.threads=1"])
    small = replace(spec.data, scenes=12, validation=0.2, test=0.2)  # type: ignore[type-var]
    job = prepared(replace(spec, data=small)).job
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert math.isfinite(trainer.history.rows[0]["loss"])
    assert any(not torch.equal(before[key], value) for key, value in job.model.state_dict().items())
