"""Which runs have doors of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from heedful.errors import UsageError
from heedful.tasks.table import task_of
from heedful.web.runs.continuing import OpenGenerator
from heedful.web.runs.other import OtherRun
from heedful.web.runs.run import Opener, OpenRun
from heedful.web.runs.texts import OpenClassifier

OPENERS: Final[Mapping[str, Opener]] = {"generate": OpenGenerator, "classify": OpenClassifier}


def open_run(path: Path, plan: Path | None = None) -> OpenRun:
    """A run, kept open; `plan` is shown and compared beside the model as it is.

    Errors: `CheckpointError` for no run, `UsageError` for a plan of another model.
    """
    return OPENERS.get(task_of(path).name, OtherRun)(path, plan)


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
