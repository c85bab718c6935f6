"""What a run that is kept open can do: answer many inputs in one forward, go on with a text as it comes, and show what it read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from heedful.errors import HeedfulError
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.web.reading import Laid, Reading

Kind = Literal["text", "file"]
Precision = Literal["float32", "bf16"]
ByHand = Literal["draw", "record"]
ANY_SEED = 0


@dataclass(frozen=True)
class Upload:
    """The contents of a file, and what its owner calls it."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Wanted:
    """One look at one text.

    Arguments:
        text: what is read; `second` a sentence to be read after it, as a pair.
        asked: how a continuation is drawn.
        silent: heads that say nothing, each by its layer and its place in it, counted from 0.
        planned: under the plan that the server was given.
        file: what is read in place of a text, where a run reads files.
    """

    text: str
    second: str = ""
    asked: Asked = field(default_factory=lambda: Asked(seed=ANY_SEED))
    silent: tuple[tuple[int, int], ...] = ()
    planned: bool = False
    file: Upload | None = None


def pair_of(wanted: Wanted) -> str:
    """The text, with the second sentence on a line of its own."""
    return f"{wanted.text}\n{wanted.second}" if wanted.second else wanted.text


@dataclass(frozen=True)
class Reasons:
    """Tokens with a score each, what a score is in words, whether it may be shown in colours, and the picture that they are cells of."""

    tokens: Sequence[str]
    scores: Sequence[float]
    about: str
    signed: bool = True
    shaded: bool = True
    laid: Laid | None = None


class OpenRun(Protocol):
    """A run whose model stays in memory; used by one thread at a time."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def task(self) -> str:
        """What its task is called."""

    @property
    def takes(self) -> Kind:
        """What its inputs are: texts, or the contents of files."""

    @property
    def by_hand(self) -> ByHand | None:
        """How a file may be made on the page, where it may."""

    @property
    def goes_on(self) -> bool:
        """Whether its answer is a text that comes in pieces."""

    @property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""

    @property
    def why_unplanned(self) -> str | None:
        """Why no plan can be shown beside the model; None where one could."""

    def facts(self) -> Record:
        """What there is to know of it, as JSON data."""

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """An answer for each input, or why there is none; in one forward where the task allows, the same as alone up to rounding."""

    def answer(self, text: str, asked: Asked) -> Answer:
        """An answer that may come in pieces."""

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """An answer and what it rests on, as the task explains it."""

    def read(self, wanted: Wanted) -> Reading:
        """An answer, and the weights of every head that it was made with."""

    @property
    def reads(self) -> bool:
        """Whether an answer of it comes with a reading, be it one without heads."""

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that explain its answers, the default first."""

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each token counted for the answer, by a method."""


Opener = Callable[[Path, Path | None], OpenRun]
