"""`heedful tune`, put together: trials of a task, and what a study leaves behind."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from heedful import atomic
from heedful.errors import HeedfulError
from heedful.explanations.markup import Markup, element
from heedful.explanations.page import Section, page, write
from heedful.explanations.parts.prose import command, paragraph
from heedful.explanations.parts.table import table
from heedful.spec import yaml
from heedful.spec.task import RunSpec
from heedful.tasks.training import prepared
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.tune import drawing, study
from heedful.train.tune.limits import costs
from heedful.train.tune.space import check_space, settings_of
from heedful.train.tune.trials import Pruned, Tuning, Watching, locked
from heedful.train.tune.workers import together

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

JUDGED = {"loss": "loss", "errors": "error"}  # what the loop keeps the best of, and how it is told
LOOKS = 5  # how often a trial is judged at least, so that it can be stopped early


@dataclass(frozen=True)
class Tuned:
    """What a study came to: the best trial's loss, values and costs, and how many trials ended how."""

    loss: float
    values: Mapping[str, object]
    costs: Mapping[str, float]
    spec: RunSpec
    ended: Mapping[str, int]
    importances: Mapping[str, float]
    judged: str = "loss"

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        kept = {"judged": self.judged, "loss": self.loss, "values": dict(self.values), "costs": dict(self.costs)}
        return kept | {"trials": dict(self.ended), "importances": dict(self.importances)}


def tuned(tuning: Tuning, out: Path, workers: int) -> Tuned:
    """Run the study to its number of trials, and write what it found to `out`."""
    study.needed()
    check_space(tuning.spec, tuning.space)
    with locked(tuning.store, "tune"):
        made = study.open_study(tuning.store, tuning.search, tuning.steps)
        study.settle(made, tuning.spec, tuning.space)
        begun(made, tuning, study.revive(made))
        try:
            together(tuning, trial_of, workers, say)
        except KeyboardInterrupt:
            done = len(ended(made)["complete"])
            raise KeyboardInterrupt(f"stopped after {done} finished trials; the same command goes on with {tuning.store}") from None
        finally:
            found = written(made, tuning, out)
    if found is None:
        raise HeedfulError(unfinished(made, tuning))
    return found


def generating(spec: RunSpec) -> Job:
    """What a trial of a language model trains."""
    return prepared(spec)


def classifying(spec: RunSpec) -> Job:
    """What a trial of a classifier trains."""
    from heedful.tasks.classify.preparing import prepared as labelled

    return labelled(spec).job


JOBS: Mapping[str, Callable[[RunSpec], Job]] = {"generate": generating, "classify": classifying}


def trial_of(spec: RunSpec, report: Watching, within: Callable[[Mapping[str, float]], bool], timed: bool) -> float:
    """One trial of a task, which leaves no folder behind: its best validation loss, or share of errors."""
    job = JOBS[spec.task](often(spec))
    report.trial.set_user_attr(study.JUDGED, JUDGED[job.judge])
    if not within(costs(job.model, job.spec.model.context, timed)):
        raise Pruned
    return Trainer(job, None, report).fit().best


def often(spec: RunSpec) -> RunSpec:
    """The spec with a validation at least every fifth of the steps."""
    every = min(spec.train.eval_every, max(1, (spec.train.steps or 2000) // LOOKS))
    return replace(spec, train=replace(spec.train, eval_every=every))


def begun(made: Study, tuning: Tuning, revived: int) -> None:
    """Say what is about to be done."""
    console = Console(stderr=True)
    before = len(study.counted(made))
    kept = f", {before} of them done before" if before else ""
    again = f", {revived} interrupted ones tried again" if revived else ""
    limits = "; ".join(f"{name} <= {limit:g}" for name, limit in tuning.limits.given.items()) or "no limits"
    console.print(f"{tuning.trials} trials in {tuning.store}{kept}{again}; {limits}", highlight=False, soft_wrap=True)


def say(trial: FrozenTrial) -> None:
    """A line about a trial that has ended."""
    took = f"{trial.duration.total_seconds():.0f} s" if trial.duration else "-"
    values = ", ".join(f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}" for name, value in trial.params.items())
    Console(stderr=True).print(
        f"trial {trial.number + 1}: {outcome(trial)} ({took}) {values}", highlight=False, soft_wrap=True, markup=False
    )


def outcome(trial: FrozenTrial) -> str:
    """How a trial ended, in a few words."""
    if trial.value is not None and trial.state.name == "COMPLETE":
        return f"{judged(trial)} {trial.value:.4f}"
    over = [f"{name} {share:+.0%}" for name, share in trial.constraints.items() if share > 0]
    if over:
        return f"beyond the limits: {', '.join(over)}"
    if study.FAILED in trial.user_attrs:
        return f"failed: {trial.user_attrs[study.FAILED]}"
    last = trial.intermediate_values
    return f"stopped early at step {max(last)}, loss {last[max(last)]:.4f}" if last else trial.state.name.lower()


def judged(trial: FrozenTrial) -> str:
    """What a trial is judged by."""
    return str(trial.user_attrs.get(study.JUDGED, "loss"))


def ended(made: Study) -> dict[str, list[FrozenTrial]]:
    """The trials that counted by how they ended."""
    groups: dict[str, list[FrozenTrial]] = {"complete": [], "stopped early": [], "beyond the limits": [], "failed": []}
    for trial in study.counted(made):
        by_state = {"COMPLETE": "complete", "PRUNED": "stopped early"}
        name = "beyond the limits" if study.beyond(trial) else by_state.get(trial.state.name, "failed")
        groups[name].append(trial)
    return groups


def written(made: Study, tuning: Tuning, out: Path) -> Tuned | None:
    """best.yaml, trials.csv, and the pictures as PNG and in study.html; None, and nothing written, where no trial was finished."""
    groups = ended(made)
    if not groups["complete"]:
        return None
    best = min(groups["complete"], key=lambda trial: float(trial.value or 0.0))
    values = {name: tuning.space[name].told(value) for name, value in best.params.items()}
    spec = yaml.override(tuning.spec, settings_of(values))
    counts = {name: len(trials) for name, trials in groups.items()}
    shares = drawing.importances(made)
    found = Tuned(float(best.value or 0.0), values, best.user_attrs[study.COSTS], spec, counts, shares, judged(best))
    atomic.write(
        out / "best.yaml", f"# Trial {best.number + 1} of heedful tune: validation {found.judged} {found.loss:.4f}\n{yaml.dump(spec)}"
    )
    atomic.write(out / "trials.csv", listed(study.counted(made), tuning))
    pictures = {"parallel": drawing.png(drawing.parallel_figure(groups["complete"], tuning.space, judged(best)))}
    if shares:
        pictures["importance"] = drawing.png(drawing.importance_figure(shares, judged(best)))
    for name, data in pictures.items():
        atomic.write(out / f"{name}.png", data)
    write(out / "study.html", shown(found, groups, pictures, tuning, out))
    return found


def listed(trials: list[FrozenTrial], tuning: Tuning) -> str:
    """Every trial as a row of CSV."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["trial", "outcome", "value", *tuning.space, "milliseconds", "operations", "parameters", "bytes"])
    for trial in trials:
        known = trial.user_attrs.get(study.COSTS, {})
        spent = [known.get(name, "") for name in ("milliseconds", "operations", "parameters", "bytes")]
        values = [trial.params.get(name, "") for name in tuning.space]
        rows.writerow([trial.number + 1, outcome(trial), "" if trial.value is None else trial.value, *values, *spent])
    return text.getvalue()


def shown(found: Tuned, groups: Mapping[str, list[FrozenTrial]], pictures: Mapping[str, bytes], tuning: Tuning, out: Path) -> str:
    """The study as a page."""
    order = sorted(groups["complete"], key=lambda trial: float(trial.value or 0.0))
    names = list(tuning.space)
    rows = [[f"trial {each.number + 1}", each.value, *(str(each.params[name]) for name in names)] for each in order[:50]]
    ends = ", ".join(f"{count} {name}" for name, count in found.ended.items() if count)
    sections = [
        Section(
            "Trials", f"The finished ones, best first; {ends}.", [table(["trial", found.judged, *names], rows, "finished trials")], "trials"
        ),
        Section("Every trial as a line", "The better, the darker.", [picture(pictures["parallel"], "parallel coordinates")], "parallel"),
    ]
    if "importance" in pictures:
        said = f"How much of the variation of the {found.judged} each field explains (PED-ANOVA)."
        sections.append(Section("What matters", said, [picture(pictures["importance"], "importances")], "importance"))
    use = f"heedful train {tuning.spec.task} --config {out / 'best.yaml'} --out runs/best"
    sections.append(Section("Use it", "", [paragraph(f"Best validation {found.judged} {found.loss:.4f}."), command(use)], "use"))
    return page("A study", f"{sum(found.ended.values())} trials of {', '.join(names)}.", sections)


def picture(data: bytes, name: str) -> Markup:
    """A picture inside the page."""
    source = f"data:image/png;base64,{base64.b64encode(data).decode()}"
    return element("img", {"src": source, "alt": name, "style": "max-width:100%;height:auto;background:white"})


def unfinished(made: Study, tuning: Tuning) -> str:
    """Why there is nothing to show."""
    groups = ended(made)
    counts = ", ".join(f"{len(trials)} {name}" for name, trials in groups.items() if trials)
    reasons = [str(trial.user_attrs.get(study.FAILED, "")) for trial in groups["failed"]]
    reason = f"; the last failed with: {reasons[-1]}" if reasons else ""
    return f"none of {tuning.trials} trials was finished ({counts}){reason}; wider limits, another space or --pruner none would help"


def as_json(found: Tuned) -> str:
    """What was found, for programs."""
    return json.dumps(found.record(), ensure_ascii=False, indent=2)
