"""`heedful tune`: trials of a task under other settings, within limits, kept in a store that goes on."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import Annotated

from heedful.cli.allocator import keep_memory
from heedful.cli.options import FLAT, Json, use_threads
from heedful.cli.tuning import Beginning, Most, Study

BEGINNING, STUDY, MOST = Beginning(), Study(), Most()


def tune(
    task: str,
    /,
    *,
    beginning: Annotated[Beginning, FLAT] = BEGINNING,
    study: Annotated[Study, FLAT] = STUDY,
    most: Annotated[Most, FLAT] = MOST,
    json: Json = False,
) -> None:
    """Search for a better configuration; Ctrl-C leaves a study with which the same command goes on.

    Arguments:
        task: generate or classify.
        json: the best trial as an object instead of a line.
    """
    from heedful.cli.config import settled
    from heedful.cli.train import changed
    from heedful.tasks.table import find_task
    from heedful.tasks.tuned import as_json, tuned
    from heedful.train.tune.limits import Limits
    from heedful.train.tune.space import read_space
    from heedful.train.tune.study import Search
    from heedful.train.tune.trials import Tuning

    use_threads(study.threads)
    keep_memory()
    find_task(task)
    spec = settled(task, beginning.config, changed(beginning.set, beginning.data, None, None))
    place, space = study.out or Path("tuned", task), read_space(beginning.space, beginning.vary)
    search = Search(study.seed, study.pruner)
    tuning = Tuning(study.store or place / "study.db", spec, space, Limits(*astuple(most)), search, study.trials)
    found = tuned(tuning, place, study.workers)
    if json:
        print(as_json(found))
    else:
        best = place / "best.yaml"
        print(f"best {found.judged} {found.loss:.4f}: {best} (heedful train {task} --config {best}); {place / 'study.html'}")
