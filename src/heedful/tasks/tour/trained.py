"""The models of the tour: trained, kept as runs, and their losses as they fell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from heedful.cost.summary import ModelCost, short
from heedful.explanations.page import Section
from heedful.explanations.parts.lines import Line, lines
from heedful.explanations.parts.prose import command
from heedful.spec.task import RunSpec
from heedful.tasks.loading import Loaded, load
from heedful.tasks.tour.guide import Guide
from heedful.tasks.training import cost_of, prepared
from heedful.train.history import History
from heedful.train.loop import Trainer
from heedful.train.progress import Bar
from heedful.train.run import Run


@dataclass(frozen=True)
class Trained:
    """A run, its model as it was when it was best, and what training took."""

    folder: Path
    loaded: Loaded
    cost: ModelCost
    steps: int
    seconds: float
    history: History

    @property
    def kind(self) -> str:
        """Transformer or recurrent."""
        return self.loaded.spec.model.kind


def train(spec: RunSpec, folder: Path, guide: Guide) -> Trained:
    """Train what the spec says into `folder`, in the place of an earlier tour's run."""
    Run(folder).make_room(overwrite=True)
    job = prepared(spec)
    cost = cost_of(job)
    guide.say(f"{cost.line()}.")
    run = Run.create(folder, job.spec, job.tokenizer, overwrite=True)
    result = Trainer(job, run, Bar(Console(stderr=True))).fit()
    tokens = result.steps * spec.train.batch * spec.model.context
    guide.say(f"{result.steps:,} steps, {short(tokens)} tokens, {result.seconds:.0f} s: validation loss {result.best:.3f} nats a token.")
    return Trained(folder, load(folder), cost, result.steps, result.seconds, result.history)


def curves(models: tuple[Trained, ...], baselines: Mapping[str, float]) -> Section:
    """Training and validation loss of every model, and the baselines on the validation text."""
    drawn = [line for model in models for line in curve(model)]
    drawn += [Line(name, [(0.0, loss)], level=True) for name, loss in baselines.items()]
    chart = lines(drawn, "tokens read (thousands)", "nats per token", "Loss while training")
    again = [command(f"heedful train generate --config {model.folder}/run.yaml --out {model.folder}-again") for model in models]
    lead = "Lower is better. The level lines are counted, not trained: how often tokens and triples of tokens occur."
    return Section("How it learnt", lead, [chart, *again], "curve")


def curve(model: Trained) -> list[Line]:
    """The two lines of one model."""
    spec, rows = model.loaded.spec, model.history.rows
    tokens = spec.train.batch * spec.train.accumulate * spec.model.context / 1000
    return [
        Line(f"{model.kind}, {name}", [(row["step"] * tokens, row[key]) for row in rows if key in row])
        for name, key in (("training", "loss"), ("validation", "validation"))
    ]
