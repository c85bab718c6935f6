"""Which runs have doors of their own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from heedful.errors import UsageError
from heedful.tasks.image.classes.classes import Classes
from heedful.tasks.image.image import goal_at
from heedful.tasks.table import task_of
from heedful.web.runs.by_way import RunByWay
from heedful.web.runs.continuing import OpenGenerator
from heedful.web.runs.describing import Describing
from heedful.web.runs.hearing import Hearing
from heedful.web.runs.leaning import Leaning
from heedful.web.runs.meeting import Meeting
from heedful.web.runs.other import OtherRun
from heedful.web.runs.pictures import OpenPictures
from heedful.web.runs.run import Opener, OpenRun, Precision
from heedful.web.runs.texts import OpenClassifier
from heedful.web.runs.writing import OpenWriter


def open_pictures(path: Path, plan: Path | None = None) -> OpenRun:
    """A run of pictures: classes are kept open, pixels, boxes and patches answer through the task's own doors."""
    return OpenPictures(path, plan) if isinstance(goal_at(path), Classes) else OtherRun(path, plan)


OPENERS: Final[Mapping[str, Opener]] = {
    "generate": OpenGenerator,
    "classify": OpenClassifier,
    "translate": OpenWriter,
    "summarise": OpenWriter,
    "image": open_pictures,
    "caption": partial(RunByWay, Describing),
    "speech": partial(RunByWay, Hearing),
    "match": partial(RunByWay, Meeting),
    "recommend": partial(RunByWay, Leaning),
}


def open_run(path: Path, plan: Path | None = None, precision: Precision = "float32") -> OpenRun:
    """A run, kept open; `plan` is shown and compared beside the model as it is, `precision` is of the numbers that answers are made of.

    Errors: `CheckpointError` for no run, `UsageError` for a plan of another model or a precision that the task does not know.
    """
    task = task_of(path).name
    if precision == "float32":
        return OPENERS.get(task, OtherRun)(path, plan)
    if task != OpenClassifier.task:
        raise UsageError(f"--precision {precision} is for runs of {OpenClassifier.task}: {path} is one of {task}, and float32 would work")
    return OpenClassifier(path, plan, precision)


def named(paths: list[Path]) -> dict[str, Path]:
    """Runs by what they are called: NAME=PATH, or the last part of the path.

    >>> named([Path("runs/mine"), Path("yours=runs/other")])
    {'mine': PosixPath('runs/mine'), 'yours': PosixPath('runs/other')}

    Errors: `UsageError` for two of one name.
    """
    found: dict[str, Path] = {}
    for given in paths:
        name, _, path = str(given).rpartition("=")
        place = Path(path).expanduser()
        name = name or (place.parent.name if place.is_file() else place.resolve().name)
        if name in found:
            raise UsageError(f"two runs are called {name!r}: NAME={path} would give one another name")
        if not name or not all(sign.isalnum() or sign in "-_." for sign in name):
            raise UsageError(f"a run cannot be called {name!r}: NAME={path} with letters, digits, - and _ would work")
        found[name] = place
    return found
