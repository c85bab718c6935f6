"""A run of any task, through the doors that every task has: each answer opens it anew."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, final

from heedful.errors import HeedfulError, UsageError
from heedful.tasks.image.image import goal_at
from heedful.tasks.image.scenes.boxes import Boxes
from heedful.tasks.image.scenes.masks import Masks
from heedful.tasks.table import task_of
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.web.reading import Reading
from heedful.web.runs.run import ByHand, Kind, Reasons, Wanted
from heedful.web.runs.why import ACROSS, UNSEEN

FILES: Final = frozenset({"image", "speech", "caption"})  # whose inputs are the contents of files; a client names no file of the server's


@final
class OtherRun:
    """A run of a task that has no door of its own here."""

    reads = False

    def __init__(self, path: Path, plan: Path | None = None) -> None:
        self.path, self.door = path, task_of(path)
        self.task = self.door.name
        if plan is not None:
            raise UsageError(f"{path}: {self.why_unread}, and a plan cannot be shown beside them: without --plan it would work")

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """The methods that explain its answers: of boxes all that look across two streams, of pixels those without attention."""
        goal = goal_at(self.path) if self.task == "image" else None
        return ACROSS if isinstance(goal, Boxes) else UNSEEN if isinstance(goal, Masks) else ()

    @property
    def takes(self) -> Kind:
        """What its inputs are."""
        return "file" if self.task in FILES else "text"

    @property
    def by_hand(self) -> ByHand | None:
        """What is heard can be spoken on the page."""
        return "record" if self.task == "speech" else None

    @property
    def goes_on(self) -> bool:
        """Its answers are shown whole."""
        return False

    @property
    def why_unread(self) -> str | None:
        """Its explanation is the task's own page."""
        return f"the heads of {self.task} are shown on the page of its explanation"

    @property
    def why_unplanned(self) -> str | None:
        """Nothing of it is shown head by head."""
        return self.why_unread

    def facts(self) -> Record:
        """Nothing that is known of every task."""
        return {}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """An answer for each input; where one is refused, each is asked alone."""
        try:
            return [answer.record() for answer in self.door.predict(self.path, inputs, asked)]
        except HeedfulError as error:
            if len(inputs) == 1:
                return [error]
            return [found for one in inputs for found in self.answers([one], asked)]

    def answer(self, text: str, asked: Asked) -> Answer:
        """An answer that may come in pieces."""
        return next(iter(self.door.predict(self.path, [text], asked)))

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """As the task explains it."""
        return self.door.explain(self.path, text, asked, view)

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """As its own explanation says."""
        raise UsageError(f"a run of {self.task} explains itself by /explain: without a method would work")

    def read(self, wanted: Wanted) -> Reading:
        """There is none."""
        raise UsageError(self.why_unread or "")
