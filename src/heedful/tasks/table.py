"""The tasks there are."""

from __future__ import annotations

from pathlib import Path

from heedful.errors import UsageError, unknown
from heedful.models.checkpoint import load_checkpoint
from heedful.spec.search import Search
from heedful.tasks.classify.classify import Classify
from heedful.tasks.generate import Generate
from heedful.tasks.image.image import Image
from heedful.tasks.match.match import Match
from heedful.tasks.recommend.recommend import Recommend
from heedful.tasks.summarise.summarise import Summarise
from heedful.tasks.task import Task
from heedful.tasks.translate.translate import Translate
from heedful.train.run import Run

TASKS: tuple[Task, ...] = (Generate(), Classify(), Image(), Translate(), Summarise(), Match(), Recommend())
SEARCHING = ("translate", "summarise")


def refuse_search(task: Task, search: Search) -> None:
    """Refuse the knobs of a search where nothing is searched for."""
    if task.name not in SEARCHING and search != Search():
        raise UsageError(
            f"--beams, --length-penalty, --best, --sample and --extract are for {' and '.join(SEARCHING)}: this run's task is {task.name}"
        )


def find_task(name: str) -> Task:
    """The task called `name`; `UsageError` with the nearest right name otherwise."""
    for task in TASKS:
        if task.name == name:
            return task
    raise unknown("task", name, [task.name for task in TASKS])


def task_of(path: Path) -> Task:
    """The task of a run, or of a checkpoint where `path` is a file."""
    return find_task(load_checkpoint(path).spec.task if path.is_file() else Run.open(path).spec.task)
