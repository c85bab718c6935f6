"""The whole of a diet tried again: other policies on a reader's own log, or all of them on simulated readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from heedful.diet.edition.menu import Appetite, Bound, Diet
from heedful.diet.offpolicy.estimate import LEAST, Estimate, TooFew
from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.calibrated import Calibrated
from heedful.diet.policy.chance import Chance
from heedful.diet.policy.evaluate import NAMES, Values, drawn, judged
from heedful.diet.policy.greedily import Greedily
from heedful.diet.policy.log import Decision
from heedful.diet.policy.mmr import MMR
from heedful.diet.policy.policy import Policy
from heedful.diet.policy.prior import Prior
from heedful.diet.policy.sampled import Sampled
from heedful.diet.policy.topk import TopK
from heedful.diet.reward import Reward
from heedful.diet.world.lives import lived
from heedful.diet.world.looks import names
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.world import World
from heedful.errors import UsageError, unknown

USUAL: Final = ("snipw", "dr", "iips", "rips", "cascade-dr")
SIMULATED: Final = "simulated readers: nothing here is a result about people"


@dataclass(frozen=True)
class Row:
    """One policy: what it earned (an edition on a log, a minute in the simulator), or why that cannot be said.

    `estimate` has the value, its 95 % interval and the effective number of items (log) or of readers (simulator) behind it.
    """

    policy: str
    estimator: str
    estimate: Estimate | None = None
    refused: str = ""
    more: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What came of a replay; `unit` says what the values count, `note` what they must not be taken for."""

    kind: str
    unit: str
    rows: tuple[Row, ...]
    note: str = ""

    def json(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """A row a line, for people."""
        said = [f"{self.unit}{f' ({self.note})' if self.note else ''}"]
        for row in self.rows:
            more = "".join(f"  {name} {value:.3g}" for name, value in row.more.items())
            if row.estimate is None:
                said.append(f"{row.policy:16} {row.estimator:10} refused: {row.refused}")
            else:
                one = row.estimate
                said.append(f"{row.policy:16} {row.estimator:10} {one.value:8.4f}  {one.low:8.4f} to {one.high:8.4f}{more}")
        return said


def replay(
    log: Sequence[Decision],
    policies: Mapping[str, Values],
    *,
    estimators: Sequence[str] = USUAL,
    times: int = 200,
    seed: int = 0,
    least: float = LEAST,
) -> Report:
    """What other policies would have earned the reader of a log; a row that the log cannot carry says why.

    Arguments:
        log: editions as they were shown (see `Decision`).
        policies: (features (n, f), generator) -> values (n,) by name.
        estimators: ipw, snipw, dm, dr, switch-dr, and of lists iips, rips, cascade-dr.
        times: editions drawn for each policy and morning.
        least: the effective number of items (of lists for rips and cascade-dr) below which an estimate is refused.

    Raises `UsageError` for a log without editions or an unknown estimator.
    """
    for estimator in estimators:
        if estimator not in NAMES:
            raise unknown("estimator", estimator, NAMES)
    if not log:
        raise UsageError("no edition was logged yet: read some weeks of editions, or replay the simulator")
    earned = np.array([one.rewards[one.shown].sum() for one in log])
    draws = np.random.default_rng(seed).integers(len(log), size=(2000, len(log)))
    low, high = np.quantile(earned[draws].mean(1), [0.025, 0.975])
    items = float(sum(one.shown.sum() for one in log))
    rows = [Row("as it was", "mean", Estimate(float(earned.mean()), float(low), float(high), items), more={"editions": len(log)})]
    for name, values in policies.items():
        wanted = drawn(log, values, times, seed)
        for estimator in estimators:
            try:
                found = judged(log, wanted, estimator, seed=seed, least=least)
                behind = "effective items" if estimator not in ("rips", "cascade-dr") else "effective lists"
                rows.append(Row(name, estimator, found, more={behind: found.effective}))
            except TooFew as why:
                rows.append(Row(name, estimator, refused=str(why)))
    return Report("log", "reward an edition, 95 % interval", tuple(rows))


def simulate(
    policies: Mapping[str, Callable[[World], Policy]] | None = None,
    *,
    readers: int = 100,
    days: int = 30,
    minutes: float = 30.0,
    seed: int = 0,
    reward: Reward | None = None,
    parameters: Parameters | None = None,
) -> Report:
    """Policies with the same simulated readers: hidden worth a minute of the budget, which no policy sees.

    >>> [row.policy for row in simulate(readers=4, days=2).rows]
    ['thompson', 'greedy', 'top-k', 'mmr', 'calibrated', 'chance']

    Arguments:
        policies: by name, made for a world; None: the default one and its baselines, all of which start knowing nothing.
        reward: what they are taught to want.

    Raises `UsageError` for no readers, days or minutes.
    """
    if readers < 1 or days < 1:
        raise UsageError(f"{readers} readers for {days} days: one or more of each would work")
    rows = []
    for name, make in (policies or defaults(minutes)).items():
        world = World(readers, parameters, seed, minutes=minutes)
        found = list(lived(world, make(world), days, reward, seed))
        rows.append(_row(name, np.array([day.worth for day in found]), np.array([day.here for day in found]), minutes, seed))
    return Report("world", "minutes well spent, a minute of the budget, 95 % interval over readers", tuple(rows), SIMULATED)


def defaults(minutes: float) -> dict[str, Callable[[World], Policy]]:
    """The default policy and its baselines; their knobs are those that `benchmarks/diet_world.py` chose on held-out readers."""
    diet = Diet(minutes, worth=-5.0, appetites=(Appetite("topic", 0.1, 0.4),), bounds=(Bound("source", most=0.5),), redundancy=2.0)

    def beliefs(world: World) -> Beliefs:
        return Beliefs(world.count, Prior.flat(len(names(world)), spread=0.1, noise=0.6))

    return {
        "thompson": lambda world: Sampled(beliefs(world), diet, boldness=0.02),
        "greedy": lambda world: Greedily(beliefs(world), diet),
        "top-k": lambda world: TopK(beliefs(world)),
        "mmr": lambda world: MMR(beliefs(world), relevance=0.7),
        "calibrated": lambda world: Calibrated(beliefs(world), world.p.topics, weight=0.1),
        "chance": lambda world: Chance(diet),
    }


def _row(name: str, worth: np.ndarray, here: np.ndarray, minutes: float, seed: int) -> Row:
    """Sums over days, and the interval over readers."""
    total, days = worth.sum(0), here.sum(0)
    draws = np.random.default_rng(seed).integers(len(total), size=(500, len(total)))
    rates = total[draws].sum(1) / np.maximum(days[draws].sum(1), 1) / minutes
    low, high = np.quantile(rates, [0.025, 0.975])
    value = float(total.sum() / max(days.sum(), 1) / minutes)
    return Row(name, "simulated", Estimate(value, float(low), float(high), float(len(total))), more={"came back": float(here.mean())})
