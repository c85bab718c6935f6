"""One trial after another: draw values, weigh what they cost, train, and tell the study; Ctrl-C leaves it ready to go on."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from heedful.atomic import told
from heedful.errors import HeedfulError, UsageError
from heedful.spec.task import RunSpec
from heedful.spec.yaml import override
from heedful.train.progress import Silent
from heedful.train.tune import study as studies
from heedful.train.tune.limits import Limits
from heedful.train.tune.space import Space, settings_of
from heedful.train.tune.study import Search

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial


REFUSED = 10  # trials that are weighed for each one that is trained, at most


@dataclass(frozen=True)
class Tuning:
    """A study to be made: where it is kept, what it begins with, what varies, within which limits, and how many trials in all.

    A trial beyond the limits is not trained and does not count, unless nine of ten are.
    """

    store: Path
    spec: RunSpec
    space: Space
    limits: Limits
    search: Search
    trials: int

    @property
    def steps(self) -> int:
        """How long a trial trains at most, as far as the spec says."""
        return self.spec.train.steps or 2000


class Pruned(Exception):
    """The trial promises too little to be trained to its end."""


class Watching(Silent):
    """Tells the study each validation loss, and ends a trial that its rule gives up."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def validated(self, step: int, loss: float, best: bool) -> None:
        """The loss over the whole validation part."""
        self.trial.report(loss, step)
        if self.trial.should_prune():
            raise Pruned


class Runner(Protocol):
    """How one trial is run by the task it belongs to."""

    def __call__(self, spec: RunSpec, report: Watching, within: Callable[[Mapping[str, float]], bool], timed: bool) -> float:
        """Build the model, ask `within` about its costs, train it, and give the best validation loss; `Pruned` if not within."""


Told = Callable[["FrozenTrial"], None]


def work(tuning: Tuning, runner: Runner, worker: int = 0, told_of: Told = lambda trial: None) -> None:
    """Run trials until the study has as many as were asked for."""
    study = studies.open_study(tuning.store, tuning.search, tuning.steps, worker)
    while (trial := next_trial(study, tuning)) is not None:
        one(study, trial, tuning, runner)
        told_of(study.trials[trial.number])


def next_trial(study: Study, tuning: Tuning) -> Trial | None:
    """The next trial, if there is to be one; processes ask one at a time."""
    with locked(tuning.store, "ask", wait=True):
        before = studies.counted(study)
        trained = [trial for trial in before if not studies.beyond(trial)]
        return study.ask() if len(trained) < tuning.trials and len(before) < REFUSED * tuning.trials else None


def one(study: Study, trial: Trial, tuning: Tuning, runner: Runner) -> None:
    """Run a trial to whatever end it comes to."""
    import optuna

    state = optuna.trial.TrialState
    try:
        values = {name: axis.suggested(name, trial) for name, axis in tuning.space.items()}
        spec = override(tuning.spec, settings_of(values))
        loss = runner(spec, Watching(trial), lambda costs: weighed(trial, tuning.limits, costs), tuning.limits.milliseconds is not None)
    except Pruned:
        study.tell(trial, state=state.PRUNED)
    except HeedfulError as error:
        trial.set_user_attr(studies.FAILED, str(error))
        study.tell(trial, state=state.FAIL)
    except KeyboardInterrupt:
        studies.stop(study, trial.number, trial.params)
        raise
    else:
        study.tell(trial, loss)


def weighed(trial: Trial, limits: Limits, costs: Mapping[str, float]) -> bool:
    """Whether the costs are within the limits; they are kept with the trial, and the excess teaches the sampler."""
    trial.set_user_attr(studies.COSTS, dict(costs))
    excess = limits.excess(costs)
    for name, share in excess.items():
        trial.set_constraint(name, share)
    return all(share <= 0 for share in excess.values())


@contextmanager
def locked(path: Path, purpose: str, wait: bool = False) -> Iterator[None]:
    """Hold the study for a purpose; another process waits, or is refused."""
    lock = path.with_name(f".{path.name}.{purpose}")
    with told(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UsageError(f"{path}: another `heedful tune` works on this study: --workers gives one command several processes") from None
        yield
