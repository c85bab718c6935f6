"""The second task: the class of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from rich.console import Console

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.baseline import Baseline
from heedful.tasks.classify.evaluation import evaluate
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.classify.marked import marked
from heedful.tasks.classify.preparing import Prepared, announce, cost_of, prepared
from heedful.tasks.classify.scoring import scored
from heedful.tasks.evaluation import record
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View
from heedful.train.loop import Trainer
from heedful.train.run import Run


@final
class Classify:
    """Text classification: sentiments, topics, intents, kinds of questions."""

    name = "classify"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Accuracy, macro-F1, each class and the confusions, beside the linear baseline."""
        loaded = load_classifier(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Classified]:
        """The class of each input."""
        if (asked.sampling, asked.ending) != (Sampling(), Ending()):
            raise UsageError(
                "options of sampling and ending are for texts that go on: a classifier draws nothing, and without them it would work"
            )
        loaded = load_classifier(run)
        return (Classified(loaded, text) for text in inputs)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """The class of a text, and how much each of its tokens counted."""
        return marked(next(self.predict(run, [text], asked)), view)


def ready(found: Prepared) -> Ready:
    """The job with its cost, and with the baseline that it stands beside."""
    cost, beside = cost_of(found.job), beside_of(found)
    return Ready(
        found.job,
        lambda console: announce(found, cost, console),
        lambda trainer, run, console: fit(trainer, run, beside, console),
    )


def beside_of(found: Prepared) -> str:
    """The linear baseline on the validation texts, in words."""
    baseline, texts = Baseline(found.corpus.part("train")), found.corpus.part("validation")
    scores = scored(texts.labels, baseline.predict(texts.texts))
    return f"{baseline.name} under a linear SVM: validation accuracy {scores['accuracy']:.2%}, macro-F1 {scores['macro_f1']:.2%}"


def fit(trainer: Trainer, run: Run, beside: str, console: Console) -> None:
    """Train, and say what came of it, beside what counting words gives."""
    if trainer.main:
        console.print(beside, highlight=False, soft_wrap=True)
    found = trainer.fit()
    if not trainer.main:
        return
    why = ", no better for a while" if found.stalled else ""
    best = f"best validation accuracy {1.0 - found.best:.2%} at step {found.best_step:,}"
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}: {best}",
        beside,
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} 'TEXT'",
    ):
        console.print(line, highlight=False, soft_wrap=True)
