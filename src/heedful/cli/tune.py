"""`heedful tune`: trials of a task under other settings, within limits, kept in a store that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from heedful.cli.allocator import keep_memory
from heedful.cli.options import Json, Words, use_threads


def tune(
    task: str,
    /,
    *,
    config: str | None = None,
    data: str | None = None,
    set: Words = [],  # noqa: B006
    space: Path | None = None,
    vary: Words = [],  # noqa: B006
    trials: int = 20,
    store: Path | None = None,
    out: Path | None = None,
    milliseconds: float | None = None,
    operations: float | None = None,
    parameters: float | None = None,
    bytes: float | None = None,
    pruner: Literal["median", "hyperband", "none"] = "median",
    workers: int = 1,
    seed: int = 0,
    threads: int | None = None,
    json: Json = False,
) -> None:
    """Search for a better configuration; Ctrl-C leaves a study with which the same command goes on.

    Arguments:
        task: generate or classify.
        config: where every trial begins: a YAML file, or the name of a preset.
        data: as for heedful train.
        set: change one field for all trials, for example train.steps=300; may be given several times.
        space: a YAML file of what varies, a field a line: a list of choices, or {low: 1, high: 8} with step: or log: true.
        vary: one field and what it may be, for example model.attention.mask=[[], {name: window, size: 64}].
        trials: how many in all, those of earlier commands on the same store among them.
        store: the study's file, SQLite or (by the name .journal) a journal; OUT/study.db if not given.
        out: a folder for best.yaml, trials.csv, study.html and the pictures; tuned/TASK if not given.
        milliseconds: the most that a forward pass over one row of a context may take on this machine.
        operations: the most of them in the same pass.
        parameters: the most of them in the model.
        bytes: the most that its weights may take.
        pruner: the rule that stops trials early, by their validation losses.
        workers: processes that run trials side by side.
        seed: of the search.
        threads: of the processor, shared out between the workers; torch's choice if not given.
        json: the best trial as an object instead of a line.
    """
    from heedful.cli.config import settled
    from heedful.cli.train import changed
    from heedful.errors import UsageError
    from heedful.tasks.table import find_task
    from heedful.tasks.tuned import as_json, tuned
    from heedful.train.tune.limits import Limits
    from heedful.train.tune.space import read_space
    from heedful.train.tune.study import Search
    from heedful.train.tune.trials import Tuning

    use_threads(threads)
    keep_memory()
    find_task(task)
    for name, count in (("--trials", trials), ("--workers", workers)):
        if count < 1:
            raise UsageError(f"{name} is {count}: it must be 1 or more")
    spec = settled(task, config, changed(set, data, None, None))
    place = out or Path("tuned", task)
    limits = Limits(milliseconds, operations, parameters, bytes)
    tuning = Tuning(store or place / "study.db", spec, read_space(space, vary), limits, Search(seed, pruner), trials)
    found = tuned(tuning, place, workers)
    if json:
        print(as_json(found))
    else:
        best = place / "best.yaml"
        print(f"best {found.judged} {found.loss:.4f}: {best} (heedful train {task} --config {best}); {place / 'study.html'}")
