"""How well a run hears a stream: its words beside those of whole recordings, words that are waited for, and how soon each is told.

    python benchmarks/speech_stream.py RUN [--recordings 50] [--chunk 0.25] [--spot zero,nine] [--snr 10]

Each recording of the run's own test part goes through `heedful predict -` by itself, as raw 16-bit sound in chunks. A word that is
waited for counts as found as often as it was both said and spotted in a recording; how late it is told is counted from the middle of the
frame that says it most surely. Real-time factor: work / length, one thread.
"""

from __future__ import annotations

import argparse
import io
from collections import Counter
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch

from heedful.data.audio.decode import packed
from heedful.data.audio.recordings import Utterance
from heedful.data.audio.vary import noisy
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.listening import listened
from heedful.tasks.speech.loading import LoadedSpeech, load_listener
from heedful.tasks.speech.scoring import Errors, scored, total
from heedful.tasks.task import Asked, Record


class Found(NamedTuple):
    """The text of a recording by a stream, what was spotted in it, how late each was told (s), how many changes of mind, and real time."""

    text: str
    spotted: list[str]
    late: list[float]
    partial: int
    real_time: float


def streamed(loaded: LoadedSpeech, wave: torch.Tensor, asked: Asked) -> Found:
    """One recording as a stream."""
    raw = io.BytesIO(packed(wave).numpy().astype("<i2").tobytes())
    told: list[Record] = [event.record() for event in listened(loaded, asked, raw)]
    of = {kind: [each for each in told if each["heard"] == kind] for kind in ("final", "spotted", "partial", "end")}
    late = [float(each["at"]) - (float(each["from"]) + float(each["to"])) / 2 for each in of["spotted"]]
    text = " ".join(str(each["text"]) for each in of["final"])
    return Found(text, [str(each["word"]) for each in of["spotted"]], late, len(of["partial"]), float(of["end"][0]["real_time"]))


def under(wave: torch.Tensor, decibels: float | None, generator: torch.Generator) -> torch.Tensor:
    """The wave under white noise, or as it is."""
    if decibels is None:
        return wave
    white = torch.randn(1, len(wave), generator=generator)
    return noisy(wave[None], torch.tensor([len(wave)]), torch.tensor([[decibels]]), torch.zeros(1, 1), white)[0]


def spotting(truth: list[str], found: list[Found], words: tuple[str, ...]) -> str:
    """How many of the words that were waited for were found, and how many were told of that nobody said."""
    said = hit = told = 0
    for text, each in zip(truth, found, strict=True):
        real, ours = (Counter(word for word in some if word in words) for some in (text.split(), each.spotted))
        said, told, hit = said + real.total(), told + ours.total(), hit + (real & ours).total()
    late = sorted(second for each in found for second in each.late)
    when = f"; told {median(late):.2f} s after in the median, {late[int(0.9 * len(late))]:.2f} s or less for nine of ten" if late else ""
    return f"{hit} of {said} found ({hit / max(1, said):.1%}), {told - hit} told that were not said{when}"


def line(name: str, found: Errors) -> str:
    """One row."""
    return f"  {name:22s} {found.rate:6.1%} of {found.words:,} words wrong, {found.exact:6.1%} of recordings without one"


def measured(loaded: LoadedSpeech, some: list[Utterance], asked: Asked, decibels: float | None) -> None:
    """The table."""
    generator = torch.Generator().manual_seed(0)
    waves = [under(one.wave, decibels, generator) for one in some]
    truth = [one.text for one in some]
    found = [streamed(loaded, wave, asked) for wave in waves]
    whole = [Transcribed(loaded, Input(one.name, wave), asked.search).text for one, wave in zip(some, waves, strict=True)]
    seconds = [len(wave) / loaded.data.frames.rate for wave in waves]
    spent = sum(each.real_time * length for each, length in zip(found, seconds, strict=True))
    noise = "no noise added" if decibels is None else f"white noise {decibels:g} dB below"
    print(f"{len(some)} recordings, {sum(seconds):.0f} s, chunks of {asked.hearing.chunk:g} s, {noise}")
    print(line("whole recordings", total(scored(whole, truth))))
    print(line("as a stream", total(scored([each.text for each in found], truth))))
    print(
        f"  {sum(each.partial for each in found) / len(found):.1f} partial results a recording; real-time factor {spent / sum(seconds):.4f}"
    )
    print(f"  waiting for {', '.join(asked.hearing.words)}: {spotting(truth, found, asked.hearing.words)}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--recordings", type=int, default=50)
    parser.add_argument("--chunk", type=float, default=0.25)
    parser.add_argument("--beams", type=int, default=5)
    parser.add_argument("--spot", default="zero,nine")
    parser.add_argument("--snr", type=float)
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load_listener(given.run)
    part = loaded.recordings().part("test")
    some = [part.utterance(i) for i in range(min(given.recordings, len(part)))]
    rate = loaded.data.frames.rate
    asked = Asked(search=Search(given.beams), hearing=Hearing(spot=given.spot, rate=rate, chunk=given.chunk))
    measured(loaded, some, asked, given.snr)


if __name__ == "__main__":
    main()
