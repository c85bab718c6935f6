"""The store of a study: an SQLite file or a journal, which a later command, or another process, goes on with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from heedful.errors import DataError, MissingExtra, UsageError
from heedful.spec.plain import plain
from heedful.spec.task import RunSpec
from heedful.train.tune.space import Space

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

Pruner = Literal["median", "hyperband", "none"]
NAME, STOPPED, FAILED, COSTS, JUDGED = "heedful", "stopped", "failed", "costs", "judged"
JOURNALS = (".journal", ".jsonl", ".log")


@dataclass(frozen=True)
class Search:
    """How values are chosen: the `seed` of the sampler, and which rule stops trials that promise little."""

    seed: int = 0
    pruner: Pruner = "median"
    first: int = 4  # trials that are drawn at random, and none of which is stopped early


def needed() -> None:
    """Say which extra to install where Optuna is missing."""
    try:
        import optuna
    except ImportError:
        raise MissingExtra("optuna", "tune", "heedful tune") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_study(store: Path, search: Search, steps: int, worker: int = 0) -> Study:
    """The study kept at `store`, made if it is not there; `steps` is how long a trial may train."""
    import optuna

    needed()
    seed = search.seed * 1_000_003 + worker
    storage = storage_at(store)
    study = optuna.create_study(study_name=NAME, storage=storage, direction="minimize", load_if_exists=True, pruner=pruner(search, steps))
    seed += 7919 * len(study.trials)  # a study that goes on must not draw what it drew before
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=search.first, seed=seed, constant_liar=True)
    return study


def pruner(search: Search, steps: int) -> BasePruner:
    """The rule that stops trials early."""
    import optuna

    if search.pruner == "none":
        return optuna.pruners.NopPruner()
    if search.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=search.first)
    return optuna.pruners.HyperbandPruner(min_resource=max(1, steps // 9), max_resource=max(1, steps), reduction_factor=3)


def storage_at(store: Path) -> BaseStorage:
    """A journal where the name ends like one, SQLite otherwise."""
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage
    from sqlalchemy.exc import DatabaseError

    store.parent.mkdir(parents=True, exist_ok=True)
    if store.is_dir():
        raise UsageError(f"--store {store}: a folder; a file such as study.db (SQLite) or study.journal would work")
    try:
        if store.suffix in JOURNALS:
            return JournalStorage(JournalFileBackend(str(store)))
        return optuna.storages.RDBStorage(f"sqlite:///{store}", engine_kwargs={"connect_args": {"timeout": 60}})
    except (DatabaseError, ValueError, OSError) as error:
        raise DataError(f"{store}: no store of a study: {str(error).splitlines()[0]}; a new file would work") from None


def settle(study: Study, spec: RunSpec, space: Space) -> None:
    """Remember what is tuned, and refuse a store that holds another study."""
    asked = json.loads(json.dumps({"spec": plain(spec), "space": {name: plain(each) for name, each in space.items()}}))
    held = study.user_attrs
    if "spec" not in held:
        for key, value in asked.items():
            study.set_user_attr(key, value)
        return
    for key, what in (("space", "varies other fields or values"), ("spec", "begins with another configuration")):
        if held.get(key) != asked[key]:
            raise UsageError(f"the study in --store {what} ({difference(held.get(key), asked[key])}): another --store begins a new one")


def difference(held: Any, asked: Any) -> str:
    """The first field in which two pieces of plain data differ."""
    if isinstance(held, Mapping) and isinstance(asked, Mapping):
        for name in sorted({*held, *asked}):
            if held.get(name) != asked.get(name):
                inner = difference(held.get(name), asked.get(name))
                return f"{name}{'.' if isinstance(held.get(name), Mapping) and isinstance(asked.get(name), Mapping) else ': '}{inner}"
    return f"{json.dumps(held)}, now {json.dumps(asked)}"


def revive(study: Study) -> int:
    """Queue again what a killed process left unfinished; how many trials that were. Call it while no other process works on the study."""
    import optuna

    running = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.RUNNING]
    for trial in running:
        stop(study, trial.number, trial.params)
    return len(running)


def stop(study: Study, number: int, values: Mapping[str, Any]) -> None:
    """Give up a trial that was interrupted, and queue its values to be tried again."""
    import optuna

    study.set_user_attr(f"{STOPPED}-{number}", True)
    study.tell(number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
    if values:
        study.enqueue_trial(dict(values))


def beyond(trial: FrozenTrial) -> bool:
    """Whether the model of a trial cost more than the limits allow."""
    return any(share > 0 for share in trial.constraints.values())


def counted(study: Study) -> list[FrozenTrial]:
    """The trials that count: finished or under way, not those that were interrupted or wait."""
    import optuna

    waiting, held = optuna.trial.TrialState.WAITING, study.user_attrs
    return [trial for trial in study.trials if trial.state != waiting and f"{STOPPED}-{trial.number}" not in held]
