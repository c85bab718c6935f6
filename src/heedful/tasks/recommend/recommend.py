"""The recommender: what a user takes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

from rich.console import Console

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.leant import why_next_item
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.cuts import rolled
from heedful.tasks.recommend.evaluation import BaselinesOf, evaluate, welcome
from heedful.tasks.recommend.leaning import leaning
from heedful.tasks.recommend.loading import load_ranker
from heedful.tasks.recommend.preparing import Prepared, announce, cost_of, prepared
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View
from heedful.train.loop import Trainer
from heedful.train.progress import Bar
from heedful.train.run import Run


@final
class Recommend:
    """Recommendation from a log of interactions: films, products, articles."""

    name = "recommend"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """HR@10, NDCG@10 and MRR over all items, beside every baseline; with --cuts and --seeds trained anew for each."""
        if measure.cuts is not None or measure.seeds is not None:
            found = anew(Run.open(run), measure)
            record(Run(run), found)
            return found
        loaded = load_ranker(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Recommended]:
        """The items that come next after each history; --top-k says how many."""
        if (replace(asked.sampling, top_k=0), asked.ending) != (Sampling(), Ending()):
            raise UsageError(
                "options of sampling and ending are for texts that go on: a ranker draws nothing; --top-k, how many items, would work"
            )
        if asked.abstain is not None:
            raise UsageError("--abstain is for classifiers: a ranker always has a first item, and without it it would work")
        loaded = load_ranker(run)
        return (Recommended(loaded, text, asked.sampling.top_k) for text in inputs)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """What comes next after a history, and which past items that leans on: by attention and deletion, or by a method."""
        answer = next(self.predict(run, [text], asked))
        return leaning(answer, view) if of_weights_alone(view) else why_next_item(answer, view)


def anew(run: Run, measure: Measure) -> Evaluation:
    """Many trainings by the run's spec, each with its own bar."""
    console = Console(stderr=True)

    def reports(name: str) -> Bar:
        console.print(name, highlight=False)
        return Bar(console)

    return rolled(run, measure, reports)


def ready(found: Prepared) -> Ready:
    """The job with its cost, and with the baselines that it stands beside."""
    cost, beside = cost_of(found.job), BaselinesOf(found.feed)
    return Ready(
        found.job,
        lambda console: announce(found, cost, console),
        lambda trainer, run, console: fit(trainer, run, beside, console),
    )


def fit(trainer: Trainer, run: Run, beside: BaselinesOf, console: Console) -> None:
    """Train, and say what came of it, beside what counting gives."""
    if trainer.main:
        console.print(beside.line, highlight=False, soft_wrap=True)
    found = trainer.fit()
    if not trainer.main:
        return
    welcomed = welcome(load_ranker(run.path))
    why = ", no better for a while" if found.stalled else ""
    best = f"best validation NDCG@10 {1.0 - found.best:.4f} at step {found.best_step:,}"
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}: {best}",
        beside.line,
        *([] if welcomed is None else [welcomed.line]),
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} 'ITEM ITEM'",
    ):
        console.print(line, highlight=False, soft_wrap=True)
