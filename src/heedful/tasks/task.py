"""What a task is: train, evaluate, predict, explain, the same four doors for every kind of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec

Record = Mapping[str, Any]
Part = Literal["train", "validation", "test", "whole"]


@dataclass(frozen=True)
class Start:
    """The folder of a run, and whether it is a new one, an old one that goes on, or a new one in an old one's place."""

    out: Path
    resume: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Measure:
    """What is measured on which text.

    Arguments:
        data: other data than the run's own.
        split: train, validation, test, or whole; validation of the run's own data, the whole of any other.
        stride: score this many tokens at a time, each with the rest of a context before them.
        baselines: put a unigram and a trigram model of the run's training text beside it.
    """

    data: str | None = None
    split: Part | None = None
    stride: int | None = None
    baselines: bool = False


@dataclass(frozen=True)
class Asked:
    """How predictions are drawn; `seed` None draws one."""

    sampling: Sampling = field(default_factory=Sampling)
    ending: Ending = field(default_factory=Ending)
    seed: int | None = None


@dataclass(frozen=True)
class View:
    """Which weights an explanation tells of: those of one layer and head, counted from 1, or the mean over what is left open.

    Arguments:
        layer: only this layer, counted from 1; the mean over all if not given.
        head: only this head, counted from 1; the mean over all if not given.
        top: how many of the tokens it looked at are listed for each new one.
    """

    layer: int | None = None
    head: int | None = None
    top: int = 8


@dataclass(frozen=True)
class Listing:
    """A table beside the scores: its title, the names of its columns, and its rows."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | int | float, ...], ...]


@dataclass(frozen=True)
class Evaluation:
    """What was measured: on which part of which text, in words how, and rows by name (the model first).

    `listings` say more of the model.
    """

    part: str
    protocol: str
    rows: Mapping[str, Record]
    listings: tuple[Listing, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """What a prediction rests on: as data, and as a self-contained page."""

    record: Record
    page: str


class Answer(Protocol):
    """A prediction that may still be coming."""

    @property
    def prompt(self) -> str:
        """What it follows, to be shown before it; empty where it stands alone."""

    def pieces(self) -> Iterator[str]:
        """The prediction in pieces, as they are made; once only."""

    def record(self) -> Record:
        """All that is to be said of it, as JSON data; makes what is not made yet."""


class Task(Protocol):
    """One of the things attention is for."""

    @property
    def name(self) -> str:
        """What the command line calls it."""

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train what the spec says into a run's folder, a summary of the model first."""

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on where the run stopped; `settings` may change how it is trained, not what."""

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Measure a run, and write what was found to its metrics.json."""

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Answer]:
        """A prediction for each input."""

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A prediction, and what it rests on."""
