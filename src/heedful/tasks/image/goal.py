"""What can be made of a picture: its class, that of every pixel, boxes, or the patches that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from heedful.spec.task import RunSpec
from heedful.tasks.running import Ready
from heedful.tasks.task import Answer, Evaluation, Explanation, Measure, View


class Goal(Protocol):
    """The doors of the task for models of one or several kinds."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The models' kinds."""

    def ready(self, spec: RunSpec) -> Ready:
        """A job, and how it is announced and trained."""

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Measure a run."""

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Answer]:
        """A prediction for each picture that the words name."""

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """A prediction, and what it rests on."""
