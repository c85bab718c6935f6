"""The task speech as a user meets it: train, go on, evaluate, hear files and streams, explain, and one line on what will not do."""

from __future__ import annotations

import io
import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("soundfile")
import soundfile

from heedful.cli.config import presets, settled
from heedful.data.audio import voices
from heedful.errors import HeedfulError
from heedful.tasks.speech.preparing import prepared
from heedful.train.loop import Trainer

SMALL = [
    "data.limit=48",
    "model.stem=[4,4]",
    "model.encoder={kind: conformer, width: 16, layers: 1, heads: 2, kernel: 5, inner: 16, causal: true, window: 32}",
    "model.decoder={kind: recurrent, embedding: 8, hidden: 16, reach: 5}",
    "train.epochs=null",
    "train.batch=8",
    "train.warmup=0",
    "train.log_every=1",
    "train.eval_every=10",
    "train.threads=1",
]
DECODERS = {
    "monotonic": "model.decoder={kind: recurrent, embedding: 8, hidden: 16, look: monotonic}",
    "transformer": "model.decoder={kind: transformer, layers: 1, heads: 2}",
}


def settings(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", word)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some steps on voices."""
    from heedful.__main__ import main

    path = tmp_path_factory.mktemp("speech") / "run"
    assert main(["train", "speech", *settings(*SMALL, "train.steps=30", "train.learning_rate=0.01"), "--out", str(path)]) == 0
    return path


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """An utterance at another rate, in stereo."""
    mine = voices.voices().part("test").utterance(0)
    path = tmp_path / "said.flac"
    twice = mine.wave.repeat_interleave(2).numpy()
    soundfile.write(path, [[x, x] for x in twice.tolist()], 16000)
    return path


@pytest.mark.parametrize("kind", DECODERS)
def test_every_decoder_trains_is_measured_and_explained(heedful: Callable, tmp_path: Path, kind: str) -> None:
    said = heedful("train", "speech", *settings(*SMALL, DECODERS[kind], "train.steps=2"), "--out", "run")
    assert said.code == 0, said.error
    assert "operations a second of sound" in said.error
    found = json.loads(heedful("evaluate", "run", "--json").out)["rows"]
    assert {"listener", "decoder alone", "frames alone"} == set(found)
    assert heedful("predict", "run", "test:0").code == 0


def test_it_says_how_well(heedful: Callable, run: Path) -> None:
    said = heedful("evaluate", run, "--split", "test", "--snr", "10", "--json")
    assert said.code == 0, said.error
    found = json.loads(said.out)
    row, under = found["rows"]["listener"], found["rows"]["noise 10 dB"]
    assert "80 recordings" in found["protocol"]
    wrong = row["wrong"] + row["missed"] + row["added"]
    assert row["word_errors"] == pytest.approx(wrong / row["words"])
    assert under["words"] == row["words"]
    assert row["monotonic"] is None or 0.0 <= row["monotonic"] <= 1.0
    listing = found["listings"][0]
    assert listing["title"] == "By speaker"
    assert sum(one[1] for one in listing["rows"]) == 80
    assert json.loads((run / "metrics.json").read_text())["test"]["models"] == found["rows"]


def test_a_recording_of_any_kind_is_heard(heedful: Callable, run: Path, wav: Path) -> None:
    record = json.loads(heedful("predict", run, wav, "--json").out)
    own = json.loads(heedful("predict", run, "test:0", "--json").out)
    assert own["truth"] == voices.voices().part("test").texts[0]
    assert abs(record["seconds"] - own["seconds"]) < 0.002
    for word in record["words"]:
        assert 0 <= word["from"] < word["to"] <= record["seconds"] + 0.05
    assert [word["word"] for word in record["words"]] == record["text"].split()
    folder = json.loads(heedful("predict", run, wav.parent, "--json", "--best", "2").out)
    assert len(folder["best"]) == 2
    assert folder["text"] == record["text"]


def test_an_explanation_shows_where_each_word_was_heard(heedful: Callable, run: Path, tmp_path: Path) -> None:
    number = next(i for i in range(20) if json.loads(heedful("predict", run, f"train:{i}", "--json").out)["text"])
    said = heedful("explain", run, f"train:{number}")
    assert said.code == 0, said.error
    record = json.loads(said.out)
    assert len(record["weights"]) == len(record["looked"]) == len(record["text"].split())
    assert all(abs(sum(row) - 1.0) < 0.01 for row in record["weights"])
    assert 0.0 <= record["monotonic"] <= 1.0
    said = heedful("explain", run, f"train:{number}", "--out", "page.html", "--png", "a.png")
    assert said.code == 0, said.error
    assert "Where each word was heard" in (tmp_path / "page.html").read_text()
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_a_stream_is_heard_as_it_comes(heedful: Callable, refused: Callable, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = voices.voices().part("test").picked([0, 1, 2]).samples.numpy().astype("<i2").tobytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(some)))
    said = heedful("predict", run, "-", "--json", "--rate", "8000", "--chunk", "0.1", "--spot", ",".join(voices.WORDS))
    assert said.code == 0, said.error
    events = [json.loads(line) for line in said.out.splitlines()]
    assert events[-1]["heard"] == "end"
    assert events[-1]["seconds"] == pytest.approx(len(some) / 16000, abs=1e-3)
    assert [event["at"] for event in events[:-1]] == sorted(event["at"] for event in events[:-1])
    assert all(event["real_time"] > 0 for event in events)
    spotted = [event["word"] for event in events if event["heard"] == "spotted"]
    partial = [event["text"] for event in events if event["heard"] == "partial"]
    assert set(" ".join(partial).split()) <= set(spotted)  # every word is waited for
    for wrong, words in ((b"", "no sound came"), (b"RIFF" + bytes(40), "its path in place of -")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(wrong)))
        refused(heedful("predict", run, "-"), 1, words)


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith("speech-")])
def test_a_preset_takes_a_step(name: str) -> None:
    changed = ["data.source=voices", "data.limit=8", "train.epochs=null", "train.steps=1", "train.batch=4", "train.threads=1"]
    spec = settled("speech", name, changed)
    if spec.data.join is not None:
        spec = settled("speech", name, [*changed, "data.join.train=8", "data.join.validation=2", "data.join.test=2"])
    job = prepared(spec).job
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert math.isfinite(trainer.history.rows[0]["loss"])
    assert any(not value.equal(before[key]) for key, value in job.model.state_dict().items())


def test_what_will_not_do_is_said_in_one_line(heedful: Callable, refused: Callable, run: Path, tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no recording")
    refused(heedful("predict", run, "words.wav"), 1, "words.wav: no sound file")
    refused(heedful("predict", run, "none.wav"), 1, "no such file")
    refused(heedful("predict", run), 2, "no recording was named")
    refused(heedful("predict", run, "test:999"), 2, "test:0 to test:79")
    refused(heedful("predict", run, "test:0", "--temperature", "0.5"), 2, "--beams")
    refused(heedful("predict", run, "test:0", "--chunk", "0"), 2, "chunk")
    refused(heedful("evaluate", run, "--stride", "4"), 2, "--stride")
    refused(heedful("predict", run, "test:0", "--spott", "one"), 2, "Unknown option: --spott")
    (tmp_path / "empty").mkdir()
    refused(heedful("train", "speech", "--data", "empty", "--out", "other"), 1, "no recordings in it")
    refused(heedful("predict", run, "empty"), 1, "no recordings in it")
    refused(heedful("train", "speech", "--set", "model.decoder.look=sideways", "--out", "other"), 2, "unknown choice 'sideways'")
    refused(heedful("train", "speech", "--set", "data.leave=zoe", "--out", "other"), 2, "ada, ben, cleo, dov")
    refused(heedful("train", "speech", "--set", "model={kind: transformer}", "--out", "other"), 2, "hears nothing")
    assert not (tmp_path / "other").exists()


def test_a_run_goes_on_bit_for_bit(heedful: Callable, tmp_path: Path) -> None:
    words = settings(
        *SMALL, "data.vary={speed: 0.1, level: 3, room: 0.1, noisy: 0.5, warp: 0.1, time_masks: 1}", "train.checkpoint_every=5"
    )
    assert heedful("train", "speech", *words, "--set", "train.steps=15", "--out", "whole").code == 0
    after, count = Trainer.after, 0

    def stop(self: Trainer, asked: object) -> None:
        nonlocal count
        after(self, asked)  # type: ignore[arg-type]
        count += 1
        if count == 8:
            raise HeedfulError("stopped where nothing is saved")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "after", stop)
        assert heedful("train", "speech", *words, "--set", "train.steps=15", "--out", "part").code != 0
    assert heedful("train", "speech", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part


@pytest.mark.slow
def test_a_killed_run_goes_on(process: Callable, heedful: Callable, tmp_path: Path) -> None:
    words = settings(*SMALL, "train.steps=60", "train.checkpoint_every=10")
    assert heedful("train", "speech", *words, "--out", "whole").code == 0
    child = process("train", "speech", *words, "--out", "part")
    while not list((tmp_path / "part").glob("state-[2-9]*.pt")) and child.poll() is None:
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert heedful("train", "speech", "--out", "part", "--resume").code == 0
    whole, part = ((tmp_path / name / "last.safetensors").read_bytes() for name in ("whole", "part"))
    assert whole == part
