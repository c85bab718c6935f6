"""The tasks there are."""

from __future__ import annotations

from pathlib import Path

from heedful.errors import UsageError, unknown
from heedful.models.checkpoint import load_checkpoint
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
from heedful.tasks.caption.caption import Caption
from heedful.tasks.classify.classify import Classify
from heedful.tasks.generate import Generate
from heedful.tasks.image.image import Image
from heedful.tasks.match.match import Match
from heedful.tasks.recommend.recommend import Recommend
from heedful.tasks.speech.speech import Speech
from heedful.tasks.summarise.summarise import Summarise
from heedful.tasks.task import Measure, Task
from heedful.tasks.translate.translate import Translate
from heedful.train.run import Run

TASKS: tuple[Task, ...] = (Generate(), Classify(), Image(), Translate(), Summarise(), Match(), Recommend(), Caption(), Speech())
SEARCHING = ("translate", "summarise", "caption", "speech")
ASKED = ("caption",)


def refuse_search(task: Task, search: Search) -> None:
    """Refuse the knobs of a search where nothing is searched for."""
    if task.name not in SEARCHING and search != Search():
        raise UsageError(
            f"--beams, --length-penalty, --best, --sample and --extract are for {', '.join(SEARCHING)}: this run's task is {task.name}"
        )


def refuse_question(task: Task, question: str | None) -> None:
    """Refuse a question where nothing can be asked."""
    if question is not None and task.name not in ASKED:
        raise UsageError(f"--question is asked about pictures that {' and '.join(ASKED)} describes: this run's task is {task.name}")


def refuse_hearing(task: Task, hearing: Hearing) -> None:
    """Refuse the knobs of hearing where nothing is heard."""
    if task.name != "speech" and hearing != Hearing():
        raise UsageError(f"--spot, --rate, --chunk and --pause are for speech: this run's task is {task.name}")


def refuse_noise(task: Task, measure: Measure) -> None:
    """Refuse noise under what is no sound."""
    if task.name != "speech" and measure.snr:
        raise UsageError(f"--snr puts noise under speech: this run's task is {task.name}")


def refuse_pointing(task: Task, measure: Measure) -> None:
    """Refuse the pointing test of maps where no picture is classified."""
    if measure.pointing and task.name != "image":
        raise UsageError(f"--pointing is measured of classifiers of pictures: this run's task is {task.name}")


def refuse_cuts(task: Task, measure: Measure) -> None:
    """Refuse moments that roll back where nothing stands in time."""
    if measure.cuts is not None and task.name != "recommend":
        raise UsageError(f"--cuts rolls back the moment at which a log is split: this run's task is {task.name}")


def find_task(name: str) -> Task:
    """The task called `name`; `UsageError` with the nearest right name otherwise."""
    for task in TASKS:
        if task.name == name:
            return task
    raise unknown("task", name, [task.name for task in TASKS])


def task_of(path: Path) -> Task:
    """The task of a run, or of a checkpoint where `path` is a file."""
    return find_task(load_checkpoint(path).spec.task if path.is_file() else Run.open(path).spec.task)
