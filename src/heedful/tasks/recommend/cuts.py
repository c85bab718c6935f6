"""A recommender measured at moments that roll back: at each it is trained anew, over seeds, beside the baselines fitted to the same.

Each cut's test part ends where the one after it begins, so that no target is counted twice (Meng et al. 2020, RecSys: one moment for all).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from heedful.errors import UsageError
from heedful.spec import yaml
from heedful.spec.ranker import RankerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.recommend.baselines.table import fitted
from heedful.tasks.recommend.evaluation import Ours, Part, judge, learnt, newcomers, orders, seconds_of, welcome
from heedful.tasks.recommend.loading import LoadedRanker, load_ranker
from heedful.tasks.recommend.preparing import interactions, prepared
from heedful.tasks.recommend.scorer import Scorer
from heedful.tasks.recommend.tally import MEASURES, Tally
from heedful.tasks.remembered import remember, remembered
from heedful.tasks.task import Evaluation, Listing, Measure, Record, refuse_trials
from heedful.train.loop import Trainer
from heedful.train.progress import Report
from heedful.train.run import Run

PART: Final = "test"
Reports = Callable[[str], Report]


@dataclass(frozen=True)
class Trial:
    """One training's answers, and each baseline's: (name, tally, seconds of fitting) with the model first."""

    until: float
    seed: int
    told: Mapping[str, tuple[Tally, float]]


def rolled(run: Run, measure: Measure, reports: Reports) -> Evaluation:
    """HR@10, NDCG@10 and MRR over `measure.cuts` moments and `measure.seeds` trainings at each.

    Errors: `UsageError` for fewer than one of either, other data than the run's own, or cuts of a log that is split by places.
    """
    refuse_trials(replace(measure, seeds=None), "recommend")
    spec, cuts, seeds = begun_anew(run.spec), 1 if measure.cuts is None else measure.cuts, 1 if measure.seeds is None else measure.seeds
    refuse(spec, measure, cuts, seeds)
    trials: list[list[Trial]] = []
    for cut in range(cuts):
        until = interactions(spec).until * (1 - interactions(spec).test) ** cut
        data = replace(interactions(spec), until=round(until, 6))
        plans = [replace(spec, data=data, train=replace(spec.train, seed=spec.train.seed + i)) for i in range(seeds)]
        trials.append([trial(run, plan, i == 0, reports) for i, plan in enumerate(plans)])
    return told(run, spec, trials)


def refuse(spec: RunSpec, measure: Measure, cuts: int, seeds: int) -> None:
    """Refuse what cannot be rolled back."""
    data = interactions(spec)
    if min(cuts, seeds) < 1:
        raise UsageError(f"--cuts {cuts} --seeds {seeds}: one or more of each would work")
    if measure.data is not None or measure.split not in (None, PART):
        raise UsageError("--cuts and --seeds train anew on the run's own log and test there: without --data and --split they would work")
    if cuts > 1 and data.split != "time":
        raise UsageError(f"--cuts rolls a moment back, and data.split is {data.split}: a run with data.split=time would work")
    if data.split == "time" and not data.test:
        raise UsageError("data.test is 0, and --cuts and --seeds judge on it: a run with data.test=0.1 would work")


def begun_anew(spec: RunSpec) -> RunSpec:
    """The spec without what its own log filled in: another stretch of it has other items."""
    if not isinstance(spec.model, RankerSpec):
        raise UsageError(f"model.kind is {spec.model.kind}, which ranks no items: ranker would work")
    content = spec.model.content and replace(spec.model.content, features=0)
    return replace(spec, model=replace(spec.model, vocabulary=0, content=content))


def trial(run: Run, spec: RunSpec, beside: bool, reports: Reports) -> Trial:
    """Train by the spec and answer its test part, with the baselines `beside`; what was answered before is read again.

    The run itself is the training of its own moment and seed; one that was stopped goes on where it stood.
    """
    data = interactions(spec)
    name = f"until-{data.until:g}-seed-{spec.train.seed}"
    file, said = run.path / "trials" / f"{name}.json", {"spec": yaml.dump(spec), "beside": beside}
    known = remembered(file, said)
    if known is not None:
        told = {one: (Tally.read(kept["tally"]), float(kept["seconds"])) for one, kept in known["told"].items()}
    else:
        own = yaml.dump(spec) == yaml.dump(begun_anew(run.spec))
        folder = run.path if own else run.path / "trials" / name
        if not own:
            train(folder, spec, reports(f"until {data.until:.0%} of the log, seed {spec.train.seed}"))
        told = answered(load_ranker(folder), beside)
        remember(file, said, {"told": {one: {"tally": tally.record(), "seconds": seconds} for one, (tally, seconds) in told.items()}})
        if not own:
            shutil.rmtree(folder)
    return Trial(data.until, spec.train.seed, told)


def train(folder: Path, spec: RunSpec, report: Report) -> None:
    """Train into the folder, or go on with what stands there."""
    begun = Run(folder).last_path.is_file()
    run = Run.open(folder) if begun else None
    found = prepared(spec) if run is None else prepared(run.spec, run.tokenizer)
    run = run or Run.create(folder, found.job.spec, found.job.tokenizer, overwrite=True)
    Trainer(found.job, run, report, resume=begun).fit()
    welcome(load_ranker(folder))


def answered(loaded: LoadedRanker, beside: bool) -> dict[str, tuple[Tally, float]]:
    """What the model (and the baselines) made of the test part, means over random orders of equal times."""
    parts = list(orders(loaded, None, PART))
    ours = Ours(loaded, loaded.catalogue(newcomers(loaded, parts[0].found)))
    found: dict[str, tuple[Tally, float]] = {ours.name: (tallied(ours, parts), seconds_of(loaded))}
    if beside:
        found |= {one.scorer.name: (tallied(one.scorer, parts), one.seconds) for one in fitted(learnt(parts[0].found))[0]}
    return found


def tallied(scorer: Scorer, parts: Sequence[Part]) -> Tally:
    """The mean over orders; a target stands in every one of them."""
    found = []
    for part in parts:
        judged = judge(scorer, part)
        new = part.found.item[part.places] >= part.found.known
        columns = (judged.hit, judged.ndcg, judged.reciprocal)
        found.append(Tally.of(part.found.users, part.found.owner[part.places], new, columns))
    return Tally.mean_of(found)


def told(run: Run, spec: RunSpec, trials: Sequence[Sequence[Trial]]) -> Evaluation:
    """The table over all cuts, each cut and each seed by itself, and how far the model is above the best baseline."""
    ours, *others = trials[0][0].told
    every = {ours: Tally.together([Tally.mean_of([one.told[ours][0] for one in cut]) for cut in trials])}
    stand = [name for name in others if all(name in cut[0].told for cut in trials)]
    every |= {name: Tally.together([cut[0].told[name][0] for cut in trials]) for name in stand}
    rows = {name: row(tally, [one.told[name][1] for cut in trials for one in cut if name in one.told]) for name, tally in every.items()}
    best = max((name for name in every if name != ours), key=lambda name: float(every[name].mean()[1]))
    listings = [by_cut(trials, ours, best), *by_seed(trials, ours), above(every[ours], every[best], best)]
    mine, seeds = every[ours], len(trials[0])
    protocol = (
        f"{PART} of {interactions(spec).source} at {len(trials)} moment{'s' * (len(trials) > 1)}: {mine.targets():,} targets of "
        f"{int((mine.count.sum(1) > 0).sum()):,} users, {mine.targets('new'):,} of them new items, each ranked among all items; trained "
        f"anew by {run.path}/run.yaml at each, {seeds} seed{'s' * (seeds > 1)}, means over them; margins are 95%, users drawn as wholes; "
        "equal times in random orders, means over them"
    )
    where = f"{len(trials)} cuts" if len(trials) > 1 else PART
    return Evaluation(f"{where}, {seeds} seed{'s' * (seeds > 1)}", protocol, rows, tuple(listings))


def row(tally: Tally, seconds: Sequence[float]) -> Record:
    """The means, their margins, and seconds of fitting."""
    mean, margin = tally.mean(), tally.margin()
    found: dict[str, float] = {}
    for i, name in enumerate(MEASURES[:2]):
        found |= {name: float(mean[i]), f"{name}_margin": float(margin[i])}
    return found | {"mrr": float(mean[2]), "new hr@10": float(tally.mean("new")[0]), "fit_seconds": round(float(np.mean(seconds)), 2)}


def by_cut(trials: Sequence[Sequence[Trial]], ours: str, best: str) -> Listing:
    """Each moment by itself, known and new items apart."""
    rows: list[tuple[str | int | float, ...]] = []
    for cut in trials:
        mine, other = Tally.mean_of([one.told[ours][0] for one in cut]), cut[0].told[best][0]
        kinds = [float(mine.mean(kind)[0]) for kind in (None, "known", "new")]
        rows.append((f"{cut[0].until:.0%} of the log", mine.targets(), mine.targets("new"), *kinds, float(other.mean()[0])))
    return Listing("each cut", ("until", "targets", "new ones", "hr@10", "of known", "of new", f"hr@10 of {best}"), tuple(rows))


def by_seed(trials: Sequence[Sequence[Trial]], ours: str) -> Iterator[Listing]:
    """Each seed over all cuts, and the standard error of their mean."""
    seeds = len(trials[0])
    if seeds < 2:
        return
    means = np.array([Tally.together([cut[i].told[ours][0] for cut in trials]).mean()[:2] for i in range(seeds)])
    rows: list[tuple[str | int | float, ...]] = [(str(trials[0][i].seed), float(hit), float(gain)) for i, (hit, gain) in enumerate(means)]
    error = means.std(0, ddof=1) / np.sqrt(seeds)
    rows.append(("standard error", float(error[0]), float(error[1])))
    yield Listing("each seed", ("seed", "hr@10", "ndcg@10"), tuple(rows))


def above(mine: Tally, other: Tally, name: str) -> Listing:
    """The difference to the best baseline."""
    gained, margin = mine.mean() - other.mean(), mine.margin(other)
    rows = tuple(
        (measure, f"{gained[i]:+.4f}", f"{gained[i] - margin[i]:+.4f}", f"{gained[i] + margin[i]:+.4f}")
        for i, measure in enumerate(MEASURES)
    )
    return Listing(f"above {name}, with its 95% interval", ("measure", "difference", "from", "to"), rows)
