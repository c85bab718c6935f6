"""What a task says of its runs so that one of them can be kept open: how an input is answered, what was read for it, what it rests on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import nn

from heedful.errors import UsageError
from heedful.explanations.subject import Subject
from heedful.layers.attention import AttentionLayer
from heedful.tasks.task import Answer, Asked, Record
from heedful.web.reading import Reading
from heedful.web.runs.planned import unplanned
from heedful.web.runs.run import ByHand, Kind, Upload, Wanted
from heedful.web.runs.why import OF_TOKENS


class Way(ABC):
    """One run, loaded; `model` is what heads are muted and plans applied in."""

    model: nn.Module
    takes: Kind = "text"
    by_hand: ByHand | None = None
    methods: tuple[str, ...] = OF_TOKENS

    @property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""
        return None

    @property
    def why_unplanned(self) -> str | None:
        """Why no plan can be shown beside the model; None where one can."""
        return unplanned(self.model)

    @property
    def heads(self) -> Sequence[AttentionLayer]:
        """The layers whose heads are shown, in the order of a reading's maps, where they can be muted."""
        return ()

    @abstractmethod
    def facts(self) -> Record:
        """What there is to know of it, as JSON data."""

    @abstractmethod
    def answer(self, text: str, asked: Asked) -> Answer:
        """The answer to a text, or to the file at a path."""

    @abstractmethod
    def reading(self, wanted: Wanted) -> Reading:
        """An answer, and the weights that it was made with."""

    @abstractmethod
    def subject(self, wanted: Wanted) -> Subject:
        """An answer as methods see it."""


def brought(wanted: Wanted, what: str) -> Upload:
    """The file that was brought; `UsageError` where there is none."""
    if wanted.file is None:
        raise UsageError(f"there is no {what}: its file would work")
    return wanted.file
