"""The tasks there are."""

from __future__ import annotations

from pathlib import Path

from heedful.errors import unknown
from heedful.models.checkpoint import load_checkpoint
from heedful.tasks.classify.classify import Classify
from heedful.tasks.generate import Generate
from heedful.tasks.task import Task
from heedful.train.run import Run

TASKS: tuple[Task, ...] = (Generate(), Classify())


def find_task(name: str) -> Task:
    """The task called `name`; `UsageError` with the nearest right name otherwise."""
    for task in TASKS:
        if task.name == name:
            return task
    raise unknown("task", name, [task.name for task in TASKS])


def task_of(path: Path) -> Task:
    """The task of a run, or of a checkpoint where `path` is a file."""
    return find_task(load_checkpoint(path).spec.task if path.is_file() else Run.open(path).spec.task)
