"""A run of a task that says by a `Way` how it is kept open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

from heedful.errors import HeedfulError
from heedful.tasks.table import task_of
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.web.reading import Reading
from heedful.web.runs.muting import muted
from heedful.web.runs.planned import beside, chosen
from heedful.web.runs.run import ByHand, Kind, Reasons, Wanted
from heedful.web.runs.way import Way
from heedful.web.runs.why import why


@final
class RunByWay:
    """Answers one by one, readings and reasons, with or without a plan.

    Errors: those of loading a run and a plan.
    """

    goes_on, reads = False, True

    def __init__(self, way: Callable[[Path], Way], path: Path, plan: Path | None = None) -> None:
        self.path, self.door, self.way = path, task_of(path), way(path)
        self.task = self.door.name
        self.planned = beside(way, path, plan)

    @property
    def takes(self) -> Kind:
        """What its inputs are."""
        return self.way.takes

    @property
    def by_hand(self) -> ByHand | None:
        """How a file may be made on the page."""
        return self.way.by_hand

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that explain its answers."""
        return self.way.methods

    @property
    def why_unread(self) -> str | None:
        """Why there is no reading of its heads; None where there is."""
        return self.way.why_unread

    @property
    def why_unplanned(self) -> str | None:
        """Why no plan can be shown beside the model."""
        return self.way.why_unplanned

    def facts(self) -> Record:
        """What the task says, and whether there is a plan."""
        return {**self.way.facts(), "planned": self.planned is not None}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """An answer for each input."""
        return [self.recorded(text, asked) for text in inputs]

    def recorded(self, text: str, asked: Asked) -> Record | HeedfulError:
        """An answer, or why there is none."""
        try:
            return self.way.answer(text, asked).record()
        except HeedfulError as error:
            return error

    def answer(self, text: str, asked: Asked) -> Answer:
        """The answer to an input."""
        return self.way.answer(text, asked)

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """As the task explains it."""
        return self.door.explain(self.path, text, asked, view)

    def read(self, wanted: Wanted) -> Reading:
        """An answer, and the weights of every head."""
        way = chosen(wanted, self.way, self.planned, self.path)
        with muted(way.model, wanted.silent, way.heads):
            return replace(way.reading(wanted), silent=wanted.silent, mutable=bool(way.heads))

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each part of the input counted for the answer."""
        way = chosen(wanted, self.way, self.planned, self.path)
        with muted(way.model, wanted.silent, way.heads):
            return why(self.path, way.subject(wanted), way.model, method)
