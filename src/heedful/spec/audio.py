"""Which recordings are read, how they become frames, and how they are varied while learning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from heedful.spec.check import positive, require, within
from heedful.spec.data import TokenizerKind


@dataclass(frozen=True)
class FrameSpec:
    """How a wave becomes frames: at `rate` samples a second, a frame every `step` ms from `window` ms, in `bands` mel bands.

    The bands lie between `low` and `high` Hz (None: half the rate).

    >>> FrameSpec(rate=16000).samples
    (400, 160)
    """

    rate: int = 8000
    bands: int = 40
    window: float = 25.0
    step: float = 10.0
    low: float = 20.0
    high: float | None = None

    def __post_init__(self) -> None:
        positive({"rate": self.rate, "bands": self.bands, "window": self.window, "step": self.step})
        require(self.rate >= 1000, "rate", f"must be 1,000 samples a second or more, found {self.rate}")
        require(self.window >= self.step, "window", f"must not be shorter than step ({self.step:g} ms), found {self.window:g}")
        require(0 <= self.low < self.top, "low", f"must lie in [0, {self.top:g}), found {self.low:g}")
        require(self.top <= self.rate / 2, "high", f"must not be above half the rate ({self.rate / 2:g} Hz), found {self.top:g}")

    @property
    def top(self) -> float:
        """The upper end of the last band in Hz."""
        return self.rate / 2 if self.high is None else self.high

    @property
    def samples(self) -> tuple[int, int]:
        """The window and the step in samples."""
        return round(self.rate * self.window / 1000), round(self.rate * self.step / 1000)


@dataclass(frozen=True)
class VarySpec:
    """What is changed of a recording each time it is learnt from; nothing unless said.

    `speed` plays it up to this share faster or slower (0.1: 0.9 to 1.1 times as long), `level` makes it up to so many dB louder or
    softer, `room` puts up to so many seconds of silence before and behind it. A `noisy` share of recordings gets noise of any colour,
    from `softest` to `loudest` dB under the voice. `warp` stretches the bands by up to this share, as another throat would.
    `time_masks` stretches of up to `time_width` ms, and `band_masks` of up to `band_width` bands, are blanked out.

    >>> VarySpec(speed=0.2).speed
    0.2
    """

    speed: float = 0.0
    level: float = 0.0
    room: float = 0.0
    noisy: float = 0.0
    softest: float = 30.0
    loudest: float = 5.0
    warp: float = 0.0
    time_masks: int = 0
    time_width: float = 100.0
    band_masks: int = 0
    band_width: int = 8

    def __post_init__(self) -> None:
        within({"speed": self.speed, "warp": self.warp}, 0.0, 0.9)
        within({"level": self.level, "room": self.room}, 0.0, 100.0)
        require(0 <= self.noisy <= 1, "noisy", f"must lie in [0, 1], found {self.noisy:g}")
        require(self.softest >= self.loudest, "softest", f"must not be below loudest ({self.loudest:g} dB), found {self.softest:g}")
        require(self.time_masks >= 0, "time_masks", f"must not be negative, found {self.time_masks}")
        require(self.band_masks >= 0, "band_masks", f"must not be negative, found {self.band_masks}")
        positive({"time_width": self.time_width, "band_width": self.band_width})


@dataclass(frozen=True)
class JoinSpec:
    """Recordings of one speaker put one after the other: `fewest` to `most` of them, `shortest` to `longest` seconds of silence between.

    `train`, `validation` and `test` say how many such sequences are made of each part.

    >>> JoinSpec().most
    8
    """

    fewest: int = 3
    most: int = 8
    shortest: float = 0.05
    longest: float = 0.4
    train: int = 3000
    validation: int = 200
    test: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        positive({"fewest": self.fewest, "train": self.train, "validation": self.validation, "test": self.test})
        require(self.most >= self.fewest, "most", f"must not be below fewest ({self.fewest}), found {self.most}")
        require(self.shortest >= 0, "shortest", f"must not be negative, found {self.shortest:g}")
        require(self.longest >= self.shortest, "longest", f"must not be below shortest ({self.shortest:g}), found {self.longest:g}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")


@dataclass(frozen=True)
class SpeechDataSpec:
    """Recordings and what is said in them.

    `source` is a table of paths and transcripts, a folder or zip of recordings whose names or folders carry them, a set under
    $HEEDFUL_DATA (fsdd, yesno, or any folder there), or voices, which is made on the spot. `audio` and `text` name the columns of a
    table. `leave` names a speaker who is left out of learning, all of whose recordings are the test part. `validation` and `test` are
    the shares cut off where a source has no such part; `limit` learns from so many recordings only. `join` puts recordings one after
    the other. `vocabulary` is the most tokens a word or bpe tokenizer may have.

    >>> SpeechDataSpec("fsdd", leave="theo").tokenizer
    'word'
    """

    source: str = "voices"
    audio: str | None = None
    text: str | None = None
    leave: str | None = None
    validation: float = 0.1
    test: float = 0.0
    limit: int | None = None
    tokenizer: TokenizerKind = "word"
    vocabulary: int | None = None
    frames: FrameSpec = field(default_factory=FrameSpec)
    vary: VarySpec = field(default_factory=VarySpec)
    join: JoinSpec | None = None
    kind: Literal["speech"] = "speech"

    def __post_init__(self) -> None:
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on recordings it has not learnt from")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the recordings together")
        require(self.leave is None or bool(self.leave), "leave", "must name a speaker, or be null")
        require(self.vocabulary is None or self.vocabulary > 2, "vocabulary", f"must be above 2, found {self.vocabulary}")
        positive({"limit": self.limit})
