"""The first task: a language model that continues texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

import torch

from heedful.spec.task import RunSpec
from heedful.tasks.continuation import Continuation
from heedful.tasks.evaluation import evaluate, record
from heedful.tasks.explained.following import of_weights_alone, why_next
from heedful.tasks.loading import load
from heedful.tasks.looked import looked
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials
from heedful.tasks.training import announce, cost_of, fit, prepared
from heedful.train.job import Job


@final
class Generate:
    """Text generation: next-token models of characters, bytes, words or byte pairs."""

    name = "generate"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Loss, perplexity, bits per character and accuracy over a whole part of a text."""
        refuse_trials(measure, self.name)
        loaded = load(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Continuation]:
        """A continuation of each input; the n-th is drawn from the seed plus n."""
        loaded = load(run)
        first = asked.seed if asked.seed is not None else torch.Generator().seed() % 2**32
        return (Continuation(loaded, prompt, asked, first + i) for i, prompt in enumerate(inputs))

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A continuation, and for each of its tokens where the model looked; by a method, why a text goes on as it does."""
        if of_weights_alone(view):
            return looked(next(self.predict(run, [text], asked)), view)
        return why_next(load(run), text, view)


def ready(job: Job) -> Ready:
    """The job with its cost, which is said before it is trained."""
    cost = cost_of(job)
    return Ready(job, lambda console: announce(job, cost, console), fit)
