"""The second task: the class of a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from rich.console import Console

from heedful.errors import UsageError
from heedful.models.ngram_attention import NgramAttention
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.baseline import Baseline
from heedful.tasks.classify.calibrate import keep_temperature, temperature_of
from heedful.tasks.classify.evaluation import evaluate, judge
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.classify.marked import marked
from heedful.tasks.classify.preparing import Prepared, announce, cost_of, prepared
from heedful.tasks.classify.scoring import scored
from heedful.tasks.classify.trials import learning_curve, repeated
from heedful.tasks.evaluation import record
from heedful.tasks.explained.classified import of_weights_alone, why_class
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View
from heedful.train.loop import Trainer
from heedful.train.progress import Bar
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
        if measure.folds or measure.seeds or measure.learning_curve:
            found = anew(Run.open(run), measure)
            record(Run(run), found)
            return found
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
        return (Classified(loaded, text, asked.abstain) for text in inputs)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """The class of a text, and how much each of its tokens counted; attention as it is where a layer or a head is asked for.

        A model whose score is a sum over the runs of words says itself what each adds, unless another method is asked for; of a text that
        is read in windows, what each window's pooling counted is shown.
        """
        answer = next(self.predict(run, [text], asked))
        model, plain = answer.loaded.model, (view.method, view.target, view.contrast) == (None, None, None)
        own = plain and (isinstance(model, NgramAttention) or answer.ids.shape[1] > model.context)
        return marked(answer, view) if own or of_weights_alone(view) else why_class(answer, view)


def anew(run: Run, measure: Measure) -> Evaluation:
    """What many trainings by a run's spec come to, a bar for each of them."""
    console = Console(stderr=True)

    def reports(name: str) -> Bar:
        console.print(name, highlight=False)
        return Bar(console)

    return learning_curve(run, measure, reports) if measure.learning_curve else repeated(run, measure, reports)


def ready(found: Prepared) -> Ready:
    """The job with its cost, and with the baseline that it stands beside."""
    cost = cost_of(found.job)
    beside = None if found.job.spec.train.learn == "masked" else beside_of(found)
    return Ready(
        found.job,
        lambda console: announce(found, cost, console),
        lambda trainer, run, console: fit(trainer, run, beside, found, console),
    )


def beside_of(found: Prepared) -> str:
    """The linear baseline on the validation texts, in words."""
    baseline, texts = Baseline(found.corpus.part("train")), found.corpus.part("validation")
    scores = scored(texts.labels, baseline.predict(texts.texts))
    return f"{baseline.name} under a linear SVM: validation accuracy {scores['accuracy']:.2%}, macro-F1 {scores['macro_f1']:.2%}"


def fit(trainer: Trainer, run: Run, beside: str | None, prepared: Prepared, console: Console) -> None:
    """Train, calibrate, and say what came of it, beside what counting words gives; a model pretrained first says where it goes on."""
    if trainer.main and beside:
        console.print(beside, highlight=False, soft_wrap=True)
    found = trainer.fit()
    if not trainer.main:
        return
    why = ", no better for a while" if found.stalled else ""
    done = f"{found.steps:,} steps in {found.seconds:,.0f} s{why}"
    lines = [
        f"{done}: best validation accuracy {1.0 - found.best:.2%} at step {found.best_step:,}; {calibrated(run, prepared)}",
        beside or "",
    ]
    lines.append(f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} 'TEXT'")
    if beside is None:
        best = f"{done}: {found.best:.4f} nats a hidden token at step {found.best_step:,}"
        lines = [best, f"saved in {run.path}: heedful train classify --set train.start={run.path} goes on with the classes"]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def calibrated(run: Run, prepared: Prepared) -> str:
    """Fit the temperature of the best checkpoint on the validation texts and keep it there; what it is, in words."""
    loaded = load_classifier(run.path)
    judged = judge(loaded, prepared.corpus.part("validation"))
    temperature = temperature_of(judged.logits, judged.rows.labels)
    keep_temperature(run.checkpoint_path, temperature)
    return f"temperature {temperature:.3f}"
