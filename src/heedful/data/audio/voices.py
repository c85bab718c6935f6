"""Digits that nobody spoke: words of vowels and hisses in voices made on the spot, so that nothing has to be downloaded.

A vowel is a pulse train through two resonances, a hiss is noise through one (Klatt 1980, "Software for a cascade/parallel formant
synthesizer"); a voice has a pitch and a throat whose length moves all resonances.
"""

from __future__ import annotations

import random
from functools import cache
from typing import Final, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.recordings import Recordings, RecordingSet, Utterance, cut, gathered

NAME: Final = "voices"
RATE: Final = 8000
COUNT: Final = 480
MOST: Final = 4  # words of an utterance
SOUNDS: Final = {  # the resonances of each sound in Hz; one alone is a hiss
    "i": (300, 2300),
    "e": (450, 1900),
    "a": (750, 1250),
    "o": (480, 850),
    "u": (330, 700),
    "n": (250, 1100),
    "r": (420, 1350),
    "s": (3300,),
    "f": (1800,),
    "h": (900,),
}
WORDS: Final = {
    "zero": "sirou",
    "one": "uan",
    "two": "hu",
    "three": "fri",
    "four": "for",
    "five": "faif",
    "six": "sihs",
    "seven": "sefen",
    "eight": "eih",
    "nine": "nain",
}


class Voice(NamedTuple):
    """Pitch in Hz, what all resonances are multiplied by, and seconds a sound."""

    pitch: float
    throat: float
    pace: float


VOICES: Final = {
    "ada": Voice(210, 1.15, 0.085),
    "ben": Voice(110, 0.92, 0.1),
    "cleo": Voice(180, 1.05, 0.075),
    "dov": Voice(130, 1.0, 0.09),
}


@cache  # the same each time, and a second's work
def voices() -> RecordingSet:
    """Utterances of one to four digits in four voices, a sixth of them to test on.

    >>> voices().part("test").texts[0].split()[0] in WORDS
    True
    """
    draw = random.Random(0)
    made = [utterance(draw, i) for i in range(COUNT)]
    learnt = gathered(made[COUNT // 6 :], RATE)
    train, validation = cut(learnt, 0.1)
    parts = {"train": train, "validation": validation, "test": gathered(made[: COUNT // 6], RATE)}
    return RecordingSet(NAME, parts, "made on the spot, the first sixth to test on")


def utterance(draw: random.Random, number: int) -> Utterance:
    """Some digits by one of the voices, soft noise under them."""
    speaker = draw.choice(tuple(VOICES))
    said = [draw.choice(tuple(WORDS)) for _ in range(draw.randint(1, MOST))]
    noise = torch.Generator().manual_seed(number)
    pieces = [silence(draw.uniform(0.05, 0.2))]
    for word in said:
        pieces += [spoken(word, VOICES[speaker], draw, noise), silence(draw.uniform(0.04, 0.2))]
    wave = torch.cat(pieces)
    loud = 10 ** draw.uniform(-1.0, -0.4) / float(wave.abs().max())
    return Utterance(wave * loud + 0.002 * torch.randn(len(wave), generator=noise), " ".join(said), speaker, f"voices/{number}")


def spoken(word: str, voice: Voice, draw: random.Random, noise: torch.Generator) -> Float[Tensor, " n"]:
    """One word, never twice the same: its pitch, pace and resonances vary."""
    pitch, pace = voice.pitch * draw.uniform(0.9, 1.1), voice.pace * draw.uniform(0.8, 1.25)
    sounds = []
    for sound in WORDS[word]:
        length = round(RATE * pace * draw.uniform(0.8, 1.2))
        peaks = [peak * voice.throat * draw.uniform(0.95, 1.05) for peak in SOUNDS[sound]]
        sounds.append(vowel(peaks, pitch, length) if len(peaks) > 1 else hiss(peaks[0], length, noise))
    return torch.cat(sounds)


def vowel(peaks: list[float], pitch: float, length: int) -> Float[Tensor, " n"]:
    """Pulses of a pitch through two resonances, the second softer."""
    pulses = torch.zeros(length)
    pulses[(torch.arange(0, length * pitch / RATE) * RATE / pitch).long().clamp(max=length - 1)] = 1.0
    at = torch.arange(length // 2 + 1) * RATE / length
    gains = sum((weight / (1 + ((at - peak) / 90) ** 2) for weight, peak in zip((1.0, 0.6), peaks, strict=True)), torch.zeros(len(at)))
    wave = torch.fft.irfft(torch.fft.rfft(pulses) * gains, n=length)
    return eased(wave / wave.abs().max())


def hiss(peak: float, length: int, noise: torch.Generator) -> Float[Tensor, " n"]:
    """Noise around one frequency."""
    spectrum = torch.fft.rfft(torch.randn(length, generator=noise))
    at = torch.arange(len(spectrum)) * RATE / length
    wave = torch.fft.irfft(spectrum / (1 + ((at - min(peak, 3800.0)) / 300) ** 2), n=length)
    return eased(0.4 * wave / wave.abs().max())


def eased(wave: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The wave with soft ends, as sounds run into one another."""
    ramp = torch.linspace(0, 1, max(1, len(wave) // 5))
    shape = torch.ones(len(wave))
    shape[: len(ramp)], shape[-len(ramp) :] = ramp, ramp.flip(0)
    return wave * shape


def silence(seconds: float) -> Float[Tensor, " n"]:
    """Nothing."""
    return torch.zeros(round(RATE * seconds))


def empty(rate: int) -> Recordings:
    """No recordings."""
    return gathered([], rate)
