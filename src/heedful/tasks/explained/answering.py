"""A prediction of a run explained by a method: as data, as a page, and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from heedful.errors import UsageError
from heedful.explanations.explanation import Explanation as Found
from heedful.explanations.explanation import explained
from heedful.explanations.page import Section, page
from heedful.explanations.subject import Subject
from heedful.tasks.explained.standings import settled
from heedful.tasks.task import Explanation, Record, View


def reasons(run: Path, subject: Subject, model: nn.Module, view: View) -> Found:
    """The explanation by the method asked for, or by the one that measured best on this run."""
    if view.layer is not None or view.head is not None:
        raise UsageError("--layer and --head are of attention as it is: without --method, --target and --contrast they would work")
    folder = run if run.is_dir() else run.parent
    method, standing = settled(folder, model, view.method, subject)
    return explained(subject, method, standing)


def answered(found: Found, view: View, told: Record, sections: Sequence[Section], foot: str) -> Explanation:
    """The same as a task's answer: `told` is what the task says of it besides, `sections` what its page shows besides."""
    record: dict[str, Any] = {**told, **found.record()}
    record["pieces"] = record.pop("tokens")
    record["counted"] = [{"place": place, "token": name, "weight": round(score, 6)} for place, name, score in found.best(view.top)]
    whole = page(found.title, f"{found.method.title}.", [*found.sections(), *sections], foot)
    return Explanation(record, whole, found.plot)
