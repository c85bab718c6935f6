"""What `heedful tune` can be asked for, in groups: where trials begin, how they are looked for, and what they may cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from heedful.cli.options import Words
from heedful.errors import UsageError


@dataclass(frozen=True)
class Beginning:
    """Where every trial begins, and what varies.

    Arguments:
        config: where every trial begins: a YAML file, or the name of a preset.
        data: as for heedful train.
        set: change one field for all trials, for example train.steps=300; may be given several times.
        space: a YAML file of what varies, a field a line: a list of choices, or {low: 1, high: 8} with step: or log: true.
        vary: one field and what it may be, for example model.attention.mask=[[], {name: window, size: 64}].
    """

    config: str | None = None
    data: str | None = None
    set: Words = field(default_factory=list)
    space: Path | None = None
    vary: Words = field(default_factory=list)


@dataclass(frozen=True)
class Study:
    """How it is looked.

    Arguments:
        trials: how many in all, those of earlier commands on the same store among them.
        store: the study's file, SQLite or (by the name .journal) a journal; OUT/study.db if not given.
        out: a folder for best.yaml, trials.csv, study.html and the pictures; tuned/TASK if not given.
        pruner: the rule that stops trials early, by their validation losses.
        workers: processes that run trials side by side.
        seed: of the search.
        threads: of the processor, shared out between the workers; torch's choice if not given.
    """

    trials: int = 20
    store: Path | None = None
    out: Path | None = None
    pruner: Literal["median", "hyperband", "none"] = "median"
    workers: int = 1
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, count in (("--trials", self.trials), ("--workers", self.workers)):
            if count < 1:
                raise UsageError(f"{name} is {count}: it must be 1 or more")


@dataclass(frozen=True)
class Most:
    """What a model may cost.

    Arguments:
        milliseconds: the most that a forward pass over one row of a context may take on this machine.
        operations: the most of them in the same pass.
        parameters: the most of them in the model.
        bytes: the most that its weights may take.
    """

    milliseconds: float | None = None
    operations: float | None = None
    parameters: float | None = None
    bytes: float | None = None
