"""The task image as a user meets it: train, go on, evaluate, predict, explain, and one line on what will not do."""

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
from PIL import Image

from heedful.cli.config import presets, settled
from heedful.errors import HeedfulError
from heedful.models.checkpoint import load_checkpoint
from heedful.models.vision.build import build_picture_classifier
from heedful.tasks.image.image import goal_of
from heedful.tasks.image.loading import load_pictures
from heedful.train.loop import Trainer
from heedful.train.pictures import numbers

TRAIN = ["train.epochs=null", "train.batch=16", "train.warmup=0", "train.log_every=1", "train.eval_every=5", "train.threads=1"]
SCENES = ["data.kind=scenes", "data.size=24", "data.items=2", "data.train=24", "data.validation=4", "data.test=4"]
MODELS = {
    "cnn": ["model.kind=cnn", "model.stem=4", "model.widths=[8]", "model.gate=cbam"],
    "residual": ["model.kind=residual", "model.stem=4", "model.widths=[8]", "model.gate=se"],
    "vit": ["model.kind=vit", "model.patch=2", "model.width=16", "model.layers=1", "model.heads=2"],
    "hybrid": ["model.kind=vit", "model.patch=1", "model.stem=[8]", "model.width=16", "model.layers=1", "model.heads=2"],
}
PAINTED = {
    "unet": [*SCENES, "model.kind=unet", "model.widths=[4,8]"],
    "detector": [*SCENES, "model.kind=detector", "model.stem=[8,8]", "model.width=16", "model.layers=1", "model.queries=3"],
}


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture
def run(heedful: Callable, tmp_path: Path) -> Path:
    """A run of some steps on the digits."""
    said = heedful("train", "image", *settings(*MODELS["residual"], *TRAIN, "train.steps=40", "train.learning_rate=0.02"), "--out", "run")
    assert said.code == 0, said.error
    return tmp_path / "run"


@pytest.mark.parametrize("kind", MODELS)
def test_every_classifier_trains_beside_the_baseline(heedful: Callable, tmp_path: Path, kind: str) -> None:
    said = heedful("train", "image", *settings(*MODELS[kind], *TRAIN, "train.steps=3"), "--out", "run")
    assert said.code == 0, said.error
    assert said.error.index("parameters") < said.error.index("ridge on pixels: validation accuracy 9")
    assert "operations a picture read" in said.error
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"run.yaml", "tokenizer.json", "best.safetensors", "last.safetensors", "state-3.pt", "history.jsonl"}
    found = json.loads(heedful("predict", "run", "test:0", "--json").out)
    assert (found["truth"], found["image"]) == ("zero", "test:0")
    said = heedful("explain", "run", "test:0", "--out", "page.html")
    assert said.code == 0, said.error
    assert "data:image/png" in (tmp_path / "page.html").read_text()


def test_what_a_run_says_of_its_confidence_is_cooled(heedful: Callable, run: Path) -> None:
    kept = load_checkpoint(run / "best.safetensors")
    temperature = float(kept.notes["temperature"])
    assert temperature != 1.0
    loaded = load_pictures(run, build_picture_classifier)
    (pixels,) = loaded.pictures().part("test").pixels[:1]
    with torch.inference_mode():
        logits = loaded.model(numbers(pixels[None])).logits[0].float()
    said = json.loads(heedful("predict", "run", "test:0", "--json").out)
    assert said["confidence"] == pytest.approx(float((logits / temperature).softmax(0).max()), abs=1e-6)
    found = json.loads(heedful("evaluate", "run", "--json").out)
    (table,) = (each for each in found["listings"] if "temperature" in each["title"])
    assert float(table["rows"][1][2]) <= float(table["rows"][0][2])  # on what it was fitted on
    assert found["rows"]["residual"]["loss"] == pytest.approx(float(table["rows"][1][2]), abs=1e-4)


@pytest.mark.parametrize("kind", PAINTED)
def test_scenes_are_learnt_measured_and_explained(heedful: Callable, tmp_path: Path, kind: str) -> None:
    said = heedful("train", "image", *settings(*PAINTED[kind], *TRAIN, "train.steps=3"), "--out", "run")
    assert said.code == 0, said.error
    found = json.loads(heedful("evaluate", "run", "--split", "test", "--json").out)
    (row,) = found["rows"].values()
    assert row["images"] == 4
    assert all(0.0 <= value <= 1.0 for name, value in row.items() if name != "images")
    record = json.loads(heedful("predict", "run", "test:1", "--json").out)
    assert record["image"] == "test:1"
    if kind == "unet":
        assert sum(count for _, count in record["runs"]) == 24 * 24
    assert heedful("explain", "run", "test:1", "--out", "page.html").code == 0
    assert heedful("evaluate", "run").code == 0


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("image-")])
def test_a_preset_takes_a_step(name: str) -> None:
    spec = settled("image", name, ["data.source=digits", "train.epochs=null", "train.steps=1", "train.batch=4", "train.threads=1"])
    small = {"train": 8, "validation": 2, "test": 2} if spec.data.kind in ("scenes", "moving") else {"size": 28}
    job = goal_of(spec).ready(replace(spec, data=replace(spec.data, **small))).job
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert math.isfinite(trainer.history.rows[0]["loss"])
    assert any(not torch.equal(before[key], value) for key, value in job.model.state_dict().items())


def test_moving_items_are_followed(heedful: Callable, refused: Callable, tmp_path: Path) -> None:
    data = ["data.kind=moving", "data.size=24", "data.items=2", "data.frames=3", "data.train=24", "data.validation=4", "data.test=4"]
    model = "model={kind: tracker, stem: [8, 8], width: 16, layers: 1, heads: 2}"
    assert heedful("train", "image", *settings(*data, model, *TRAIN, "train.steps=3"), "--out", "run").code == 0
    found = json.loads(heedful("evaluate", "run", "--split", "test", "--json").out)["rows"]
    assert set(found["tracker"]) == {"iou", "identity", "pointing", "pointing_by_chance", "scenes"}
    assert found["tracker"]["scenes"] == found["where they began"]["scenes"] == 4
    record = json.loads(heedful("predict", "run", "test:1", "--json").out)
    assert [len(item["boxes"]) for item in record["items"]] == [3, 3]
    for i in range(2):
        Image.new("L", (30, 20), 40 * i).save(tmp_path / f"{i}.png")
    (tmp_path / "film.json").write_text(json.dumps({"frames": ["0.png", "1.png"], "boxes": [[0.5, 0.5, 0.25, 0.25]]}))
    record = json.loads(heedful("predict", "run", "film.json", "--json").out)
    assert record["items"][0]["boxes"][0] == [0.5, 0.5, 0.25, 0.25]
    assert heedful("explain", "run", "test:0", "--out", "page.html").code == 0
    assert "frame 3" in (tmp_path / "page.html").read_text()
    (tmp_path / "bad.json").write_text(json.dumps({"frames": ["0.png", "1.png"], "boxes": [[5, 5, 2, 2]]}))
    refused(heedful("predict", "run", "bad.json"), 1, "shares of the sides")
    refused(heedful("predict", "run", "0.png"), 2, "follows boxes that are given")
    refused(heedful("predict", "run", "test:4"), 2, "test:0 to test:3")
    refused(heedful("evaluate", "run", "--pointing"), 2, "--pointing")


def test_maps_are_pointed(heedful: Callable, run: Path) -> None:
    listing = json.loads(heedful("evaluate", run, "--pointing", "--json").out)["listings"][-1]
    assert listing["head"] == ["map", "on it", "by chance", "pictures"]
    assert {row[0] for row in listing["rows"]} >= {"features", "pixels"}
    assert all(0.0 <= row[1] <= 1.0 and row[2] == 0.25 and row[3] > 0 for row in listing["rows"])


def test_a_filler_begins_a_transformer(heedful: Callable, tmp_path: Path) -> None:
    sizes = ["model.patch=2", "model.width=16", "model.layers=1", "model.heads=2"]
    said = heedful("train", "image", *settings("model.kind=filler", *sizes, *TRAIN, "train.steps=3"), "--out", "first")
    assert said.code == 0, said.error
    found = json.loads(heedful("evaluate", "first", "--json").out)["rows"]
    assert 0.0 < found["filler"]["error"] < 1.0
    record = json.loads(heedful("predict", "first", "test:0", "--json").out)
    assert (record["patches"], record["left_out"]) == (16, 10)
    assert heedful("explain", "first", "test:0", "--out", "page.html").code == 0
    words = settings("model.kind=vit", *sizes, *TRAIN, "train.steps=1", "train.start=first", "train.learning_rate=1e-9", "data.learnt=0.1")
    said = heedful("train", "image", *words, "--out", "second")
    assert said.code == 0, said.error
    assert "0.1 of each class to learn from" in said.error
    name = "encoder.patches.matrix.weight"
    first, second = (load_checkpoint(tmp_path / run / "last.safetensors").tensors[name] for run in ("first", "second"))
    assert torch.allclose(first, second, atol=1e-6)  # one step of 1e-9


def test_it_says_how_well(heedful: Callable, run: Path) -> None:
    found = json.loads(heedful("evaluate", run, "--split", "test", "--json").out)
    ours, beside = found["rows"].values()
    assert ours["accuracy"] > 0.1 + 6 * (0.1 * 0.9 / 185) ** 0.5  # six standard errors above chance
    assert ours["images"] == beside["images"] == 185
    written = json.loads((run / "metrics.json").read_text())
    assert written["test"]["models"] == found["rows"]
    assert max(map(len, heedful("evaluate", run).out.splitlines())) <= 110


def test_files_and_folders_of_any_kind_are_read(heedful: Callable, run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "mine" / "clear.png")
    Image.new("CMYK", (9, 9)).save(tmp_path / "mine" / "print.tiff")
    lines = [json.loads(line) for line in heedful("predict", run, tmp_path / "mine", "--json").out.splitlines()]
    assert [Path(line["image"]).name for line in lines] == ["clear.png", "print.tiff"]
    assert heedful("predict", run, tmp_path / "mine" / "clear.png").out.rstrip().endswith("%)")


def test_an_explanation_says_where_and_what_opened(heedful: Callable, run: Path) -> None:
    record = json.loads(heedful("explain", run, "test:3", "--top", "2").out)
    assert set(record["maps"]) == {"features", "pixels"}
    assert len(record["maps"]["pixels"]["rows"]) == 8
    (gate,) = record["gates"]
    assert gate["kind"] == "SqueezeExcitation"
    assert len(gate["open"]) == len(gate["closed"]) == 2
    assert gate["open"][0]["gate"] >= gate["closed"][-1]["gate"]


def test_what_will_not_do_is_said_in_one_line(heedful: Callable, refused: Callable, run: Path, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture")
    refused(heedful("predict", run, "words.png"), 1, "words.png: not a picture, whatever its name")
    refused(heedful("predict", run, "none.png"), 1, "no such file")
    refused(heedful("predict", run), 2, "no picture was named")
    refused(heedful("predict", run, "test:999"), 2, "test:0 to test:184")
    refused(heedful("predict", run, "test:0", "--temperature", "0.5"), 2, "pictures draw nothing")
    refused(heedful("evaluate", run, "--stride", "4"), 2, "--stride")
    refused(heedful("explain", run, "test:0", "--layer", "1"), 2, "no layers that attend")
    (tmp_path / "empty").mkdir()
    refused(heedful("train", "image", "--data", "empty", "--out", "other"), 1, "no pictures in it")
    refused(heedful("predict", run, "empty"), 1, "no pictures in it")
    refused(heedful("train", "image", "--set", "model.gate=sse", "--out", "other"), 2, "unknown gate 'sse'")
    refused(heedful("train", "image", "--set", "data.kind=scenes", "--out", "other"), 2, "data.kind: wants images")
    refused(heedful("train", "image", "--set", "model={kind: transformer}", "--out", "other"), 2, "reads no pictures")
    assert not (tmp_path / "other").exists()


def test_a_run_goes_on_bit_for_bit(heedful: Callable, tmp_path: Path) -> None:
    words = settings(*MODELS["residual"], *TRAIN, "data.augment={crop: 1, flip: true, mixup: 0.2}", "train.checkpoint_every=5")
    assert heedful("train", "image", *words, "--set", "train.steps=15", "--out", "whole").code == 0
    script = ["train", "image", *words, "--set", "train.steps=15", "--out", "part"]
    after, count = Trainer.after, 0

    def stop(self: Trainer, asked: object) -> None:
        nonlocal count
        after(self, asked)  # type: ignore[arg-type]
        count += 1
        if count == 8:
            raise HeedfulError("stopped where nothing is saved")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "after", stop)
        assert heedful(*script).code != 0
    assert heedful("train", "image", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part


@pytest.mark.slow
def test_a_killed_run_goes_on(process: Callable, heedful: Callable, tmp_path: Path) -> None:
    words = settings(*MODELS["residual"], *TRAIN, "train.steps=60", "train.checkpoint_every=10")
    assert heedful("train", "image", *words, "--out", "whole").code == 0
    child = process("train", "image", *words, "--out", "part")
    while not list((tmp_path / "part").glob("state-[2-9]*.pt")) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert heedful("train", "image", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part
