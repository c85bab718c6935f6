"""How a run begins and goes on, whatever its task: the folder is not touched before data and model are found to fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console

from heedful import atomic
from heedful.data.tokens import Tokenizer
from heedful.errors import UsageError
from heedful.spec import yaml
from heedful.spec.task import RunSpec
from heedful.tasks.task import Start
from heedful.tasks.training import discard
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.progress import Bar
from heedful.train.run import Run


@dataclass(frozen=True)
class Ready:
    """A job, what is said before it is trained, how it is trained and reported on, and what its pace counts."""

    job: Job
    announce: Callable[[Console], None]
    fit: Callable[[Trainer, Run, Console], None]
    unit: str = "tokens"


def begin(start: Start, make: Callable[[], Ready]) -> None:
    """Train a new run in its folder; a folder in use is refused before `make` reads any data."""
    console = Console(stderr=True)
    if not start.overwrite:
        Run(start.out).make_room(overwrite=False)
    ready = make()
    refuse_unread(ready.job.spec)
    run = Run.create(start.out, ready.job.spec, ready.job.tokenizer, start.overwrite)
    try:
        trainer = Trainer(ready.job, run, Bar(console, ready.unit))
    except BaseException:
        discard(run)
        raise
    ready.announce(console)
    ready.fit(trainer, run, console)


def refuse_unread(spec: RunSpec) -> None:
    """Refuse what only classifiers of texts learn by."""
    for name, usual in (("learn", "task"), ("rationale", 0.0)):
        if spec.task != "classify" and vars(spec.train)[name] != usual:
            raise UsageError(f"train.{name} is for texts with classes (heedful train classify): the task {spec.task} would work without it")


def go_on(start: Start, settings: Sequence[str], make: Callable[[RunSpec, Tokenizer], Ready]) -> None:
    """Go on with a run as it was, `settings` changing how it is trained; its loss curve is the one it would have had."""
    run, console = Run.open(start.out), Console(stderr=True)
    ready = make(yaml.override(run.spec, settings), run.tokenizer)
    trainer = Trainer(ready.job, run, Bar(console, ready.unit), resume=True)
    atomic.write(run.spec_path, yaml.dump(ready.job.spec))
    ready.announce(console)
    ready.fit(trainer, run, console)
