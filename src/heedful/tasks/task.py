"""What a task is: train, evaluate, predict, explain, the same four doors for every kind of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
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
        beams: of the search, where one text is written for another.
        length_penalty: the power of the length that a text's log-probability is divided by in that search.
        abstain: give no answer below this confidence, and say how many are left and how many of them are right.
        sure: the same with the least confidence above which this share of the validation answers is right.
        noise: spoil words: typos, drop, swap or homoglyph.
        rate: the share of the words that is spoilt; may be given several times.
        snr: also under white noise so many decibels below the voice (speech); may be given several times.
        attack: let whoever sees the gradient change so many words, or a letter of as many, of each text.
        attacked: how many texts are attacked.
        learning_curve: train anew on 1, 3, 10, 30 and 100% of the texts, with and without pretraining where the model allows it.
        folds: train anew so many times, each time on all but one fold of all texts, and test on that one.
        seeds: train anew with so many seeds, for the mean, its standard error and the interval of the difference to the baseline.
        cuts: of a recommender: train anew for so many moments that roll back, and test on what came after each.
        pointing: of a classifier of pictures: do its maps fall on the one of two pictures, put together, whose class was said?
    """

    data: str | None = None
    split: Part | None = None
    stride: int | None = None
    baselines: bool = False
    beams: int = 5
    length_penalty: float = 1.0
    abstain: float | None = None
    sure: float | None = None
    noise: str | None = None
    rate: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    snr: tuple[float, ...] = ()
    attack: int | None = None
    attacked: int = 200
    learning_curve: bool = False
    folds: int | None = None
    seeds: int | None = None
    cuts: int | None = None
    pointing: bool = False


def refuse_trials(measure: Measure, task: str) -> None:
    """Refuse what is measured of texts with classes alone."""
    usual = Measure()
    for name in ("abstain", "sure", "noise", "attack", "learning_curve", "folds", "seeds"):
        if vars(measure)[name] != vars(usual)[name]:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is measured of classifiers, and this run's task is {task}: without it, it would work")


@dataclass(frozen=True)
class Asked:
    """How predictions are drawn or searched for; `seed` None draws one; below the confidence `abstain` no class is given.

    `question` is asked about a picture, `hearing` is how a recording or a stream is heard.
    """

    sampling: Sampling = field(default_factory=Sampling)
    ending: Ending = field(default_factory=Ending)
    seed: int | None = None
    search: Search = field(default_factory=Search)
    abstain: float | None = None
    question: str | None = None
    hearing: Hearing = field(default_factory=Hearing)


@dataclass(frozen=True)
class View:
    """Which weights an explanation tells of: those of one layer and head, counted from 1, or the mean over what is left open.

    Arguments:
        layer: only this layer, counted from 1; the mean over all if not given.
        head: only this head, counted from 1; the mean over all if not given.
        top: how many of the tokens it looked at are listed for each new one.
        method: how what counted is found, a name of `heedful.explanations.methods.table` or "auto": what measured best on this run, quick
            before anything was measured.
        target: the answer to explain; the likeliest if not given.
        contrast: what it is held against: why this and not that.
    """

    layer: int | None = None
    head: int | None = None
    top: int = 8
    method: str | None = None
    target: str | None = None
    contrast: str | None = None


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
    """What a prediction rests on: as data, as a self-contained page, and, where a method gave scores, as a figure to a path."""

    record: Record
    page: str
    draw: Callable[[Path], object] | None = None


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
