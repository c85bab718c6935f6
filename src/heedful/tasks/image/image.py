"""Pictures: their classes, the class of every pixel, boxes around items, also those that move, and patches filled in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, final

from heedful.errors import UsageError
from heedful.models.checkpoint import load_checkpoint
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.image.classes.classes import Classes
from heedful.tasks.image.goal import Goal
from heedful.tasks.image.loading import refuse_words
from heedful.tasks.image.patches.patches import Patches
from heedful.tasks.image.scenes.boxes import Boxes
from heedful.tasks.image.scenes.masks import Masks
from heedful.tasks.image.scenes.tracks import Tracks
from heedful.tasks.running import begin, go_on
from heedful.tasks.task import Answer, Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials
from heedful.train.run import Run

GOALS: Final[tuple[Goal, ...]] = (Classes(), Masks(), Boxes(), Tracks(), Patches())


@final
class Image:
    """Everything that is made of pictures; the kind of model says what."""

    name = "image"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: goal_of(spec).ready(spec))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: goal_of(spec).ready(spec))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """What the kind of model is measured by."""
        refuse_trials(measure, self.name)
        goal = goal_at(run)
        if measure.pointing and not isinstance(goal, Classes):
            raise UsageError("--pointing is for models that say the class of a picture: those of scenes are pointed at unasked")
        found = goal.evaluate(run, measure)
        record(Run(run.parent) if run.is_file() else Run.open(run), found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Answer]:
        """A prediction for each picture."""
        refuse_words((asked.sampling, asked.ending), (Sampling(), Ending()))
        return goal_at(run).predict(run, inputs)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A prediction, and what it rests on."""
        refuse_words((asked.sampling, asked.ending), (Sampling(), Ending()))
        return goal_at(run).explain(run, text, view)


def goal_at(run: Path) -> Goal:
    """What a run's model, or a checkpoint's, is for."""
    return goal_of(load_checkpoint(run).spec if run.is_file() else Run.open(run).spec)


def goal_of(spec: RunSpec) -> Goal:
    """What a model of this kind is for; `UsageError` for one that reads no pictures."""
    found = next((goal for goal in GOALS if spec.model.kind in goal.kinds), None)
    if found is None:
        known = ", ".join(kind for goal in GOALS for kind in goal.kinds)
        raise UsageError(f"model.kind is {spec.model.kind}, which reads no pictures: {known} do")
    return found
