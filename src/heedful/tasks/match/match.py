"""The fourth task: which known question, intent or answer a text means."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

import numpy as np
from rich.console import Console

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.meant import why_meant
from heedful.tasks.match.answer import Meant
from heedful.tasks.match.evaluation import evaluate
from heedful.tasks.match.lexical import bm25_scores, tfidf_scores
from heedful.tasks.match.loading import INDEX, load_matcher
from heedful.tasks.match.matched import calibration_path, open_matching
from heedful.tasks.match.met import met
from heedful.tasks.match.preparing import Prepared, announce, judged, prepared
from heedful.tasks.match.scoring import numbered, ranked
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials
from heedful.train.loop import Trainer
from heedful.train.run import Run


@final
class Match:
    """Questions to their intents, threads or answers, by an index that grows and shrinks without training."""

    name = "match"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(in_place_of(start, prepared(spec))))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Accuracy, MAP and recall, the operating point and the latency, beside BM25, tf-idf and a linear SVM."""
        refuse_trials(measure, self.name)
        loaded = load_matcher(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Meant]:
        """What each input means."""
        if (asked.sampling, asked.ending) != (Sampling(), Ending()):
            raise UsageError(
                "options of sampling and ending are for texts that go on: a matcher draws nothing, and without them it would work"
            )
        matching = open_matching(load_matcher(run))
        return (Meant(matching, text, abstain=asked.abstain) for text in inputs)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """What a text means, and which of its words met which of the entry's; by a method, which words of both decided."""
        answer = next(self.predict(run, [text], asked))
        return met(answer, view) if of_weights_alone(view) else why_meant(answer, view)


def in_place_of(start: Start, found: Prepared) -> Prepared:
    """The same, once the index of an earlier run in its folder is gone."""
    if start.overwrite:
        shutil.rmtree(start.out / INDEX, ignore_errors=True)
        calibration_path(Run(start.out)).unlink(missing_ok=True)
    return found


def ready(found: Prepared) -> Ready:
    """The job, and the baselines that it stands beside."""
    beside = beside_of(found)
    return Ready(found.job, lambda console: announce(found, console), lambda trainer, run, console: fit(trainer, run, beside, console))


def beside_of(found: Prepared) -> str:
    """BM25 and the cosine of tf-idf on the validation questions, in words."""
    asked = judged(found.questions)
    truth = numbered(asked.labels, found.questions.labels)
    scores = (
        ("BM25", bm25_scores(found.questions, asked.texts)),
        ("tf-idf cosine", tfidf_scores(found.questions, asked.texts, found.grams)),
    )
    return "; ".join(f"{name}: validation {told(given, truth)}" for name, given in scores)


def told(scores: np.ndarray, truth: np.ndarray) -> str:
    """Accuracy and MAP in words."""
    found = ranked(scores, truth)
    return f"accuracy {found['accuracy']:.2%}, MAP {found['map']:.4f}"


def fit(trainer: Trainer, run: Run, beside: str, console: Console) -> None:
    """Train, make the index, and say what came of it, beside what counting words gives."""
    if trainer.main:
        console.print(beside, highlight=False, soft_wrap=True)
    found = trainer.fit()
    if not trainer.main:
        return
    matching = open_matching(load_matcher(run.path))
    why = ", no better for a while" if found.stalled else ""
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}: best validation accuracy {1.0 - found.best:.2%} of the streams alone "
        f"at step {found.best_step:,}",
        beside,
        f"{len(matching.index.entries):,} entries in {matching.loaded.store.folder}",
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} 'TEXT'; heedful index add {run.path}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
