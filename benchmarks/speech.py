"""How quickly a run hears: seconds of work a second of sound on one thread, whole recordings and as a stream, checked first to be the same.

    python benchmarks/speech.py RUN [--seconds 60]           real-time factors of a run
    python benchmarks/speech.py --leave-one-out [--config unheard] [--speakers theo,lucas] [--set k=v]
                                                             trains a model for each speaker, each time without him

Real-time factor: work / length, less is quicker. The sound is the run's own test part, one recording after the other.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from pathlib import Path

import torch

from heedful.cli.config import settled
from heedful.data.audio.decode import packed
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.ear import Ear
from heedful.tasks.speech.evaluation import evaluate
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.listening import listened
from heedful.tasks.speech.loading import LoadedSpeech, load_listener
from heedful.tasks.speech.speech import Speech
from heedful.tasks.task import Asked, Measure, Start

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")


def sound(loaded: LoadedSpeech, seconds: float) -> list[Input]:
    """Recordings of the test part until there is so much of them."""
    some, found, total = loaded.recordings().part("test"), [], 0.0
    for i in range(len(some)):
        mine = some.utterance(i)
        found.append(Input(mine.name, mine.wave, mine.text))
        total += len(mine.wave) / some.rate
        if total >= seconds:
            break
    return found


def whole(loaded: LoadedSpeech, given: list[Input], beams: int) -> float:
    """Seconds to hear each recording by itself."""
    started = time.perf_counter()
    for each in given:
        Transcribed(loaded, each, Search(beams)).record()
    return time.perf_counter() - started


def stream(loaded: LoadedSpeech, wave: torch.Tensor, chunk: float, beams: int) -> float:
    """Seconds to hear all of it as a stream."""
    rate = loaded.data.frames.rate
    raw = io.BytesIO(packed(wave).numpy().astype("<i2").tobytes())
    asked = Asked(search=Search(beams), hearing=Hearing(rate=rate, chunk=chunk))
    started = time.perf_counter()
    for event in listened(loaded, asked, raw):
        event.record()
    return time.perf_counter() - started


@torch.inference_mode()
def same(loaded: LoadedSpeech, wave: torch.Tensor) -> float:
    """The largest difference between a stream in chunks and the whole, beside the largest number."""
    ear = Ear(loaded, loaded.data.frames.rate)
    parts = list(wave.split(1000))
    for i, part in enumerate(parts):
        ear.take(part, i == len(parts) - 1)
    found, at_once = ear.heard(), loaded.hear(wave[None]).memory
    assert found is not None
    return float((found.memory - at_once).abs().max() / at_once.abs().max())


def times(run: Path, seconds: float, beams: int) -> None:
    """The table of one run."""
    torch.set_num_threads(1)
    loaded = load_listener(run)
    given = sound(loaded, seconds)
    wave = torch.cat([each.wave for each in given])
    length = len(wave) / loaded.data.frames.rate
    apart = same(loaded, wave[: 10 * loaded.data.frames.rate])
    assert apart < 1e-3, f"a stream is not the whole: {apart:.1e} apart"
    print(f"{length:.1f} s of {loaded.data.source}, {beams} beams, one thread; a stream and the whole are {apart:.1e} apart")
    whole(loaded, given[:2], beams)
    print(f"  recordings by themselves      real-time factor {whole(loaded, given, beams) / length:.4f}")
    for chunk in (0.1, 0.25, 1.0):
        print(f"  stream, {chunk:4.2f} s at a time      real-time factor {stream(loaded, wave, chunk, beams) / length:.4f}", flush=True)


def left_out(config: str, speakers: list[str], settings: list[str]) -> None:
    """Each speaker heard by a model that never heard him."""
    right = words = 0
    print("speaker   accuracy (500 digits each)", flush=True)
    for speaker in speakers:
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            Speech().train(settled("speech", config, [f"data.leave={speaker}", "train.threads=1", *settings]), Start(run))
            found = evaluate(load_listener(run), Measure(split="test")).rows["listener"]
        right, words = right + round(found["exact"] * found["words"]), words + found["words"]
        print(f"{speaker:9s} {found['exact']:8.1%}", flush=True)
    print(f"mean      {right / words:8.1%}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--config", default="unheard")
    parser.add_argument("--speakers", default=",".join(SPEAKERS))
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    if asked.leave_one_out:
        left_out(asked.config, asked.speakers.split(","), asked.set)
    elif asked.run is not None:
        times(asked.run, asked.seconds, asked.beams)
    else:
        parser.error("a run, or --leave-one-out")


if __name__ == "__main__":
    main()
