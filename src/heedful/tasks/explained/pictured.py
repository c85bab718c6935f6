"""Why a picture is said to show what it does: the answer of `heedful explain --method` for the task image."""

from __future__ import annotations

from pathlib import Path

from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.pictures import Picture
from heedful.tasks.task import Explanation, Record, View


def why_shown(subject: Picture, run: Path, told: Record, view: View) -> Explanation:
    """The class, the box or the kind of pixels that was asked for, with the cells that speak for and against it."""
    return answered(reasons(run, subject, subject.model, view), view, told, [], f"{run}")
