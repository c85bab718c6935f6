"""The first task: a language model that continues texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

import torch
from rich.console import Console

from heedful import atomic
from heedful.spec import yaml
from heedful.spec.task import RunSpec
from heedful.tasks.continuation import Continuation
from heedful.tasks.evaluation import evaluate, record
from heedful.tasks.loading import load
from heedful.tasks.looked import looked
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View
from heedful.tasks.training import announce, cost_of, discard, fit, prepared
from heedful.train.loop import Trainer
from heedful.train.progress import Bar
from heedful.train.run import Run


@final
class Generate:
    """Text generation: next-token models of characters, bytes, words or byte pairs."""

    name = "generate"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        console = Console(stderr=True)
        if not start.overwrite:
            Run(start.out).make_room(overwrite=False)
        job = prepared(spec)
        cost = cost_of(job)
        run = Run.create(start.out, job.spec, job.tokenizer, start.overwrite)
        try:
            trainer = Trainer(job, run, Bar(console))
        except BaseException:
            discard(run)
            raise
        announce(job, cost, console)
        fit(trainer, run, console)

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        run, console = Run.open(start.out), Console(stderr=True)
        job = prepared(yaml.override(run.spec, settings), run.tokenizer)
        cost = cost_of(job)
        trainer = Trainer(job, run, Bar(console), resume=True)
        atomic.write(run.spec_path, yaml.dump(job.spec))
        announce(job, cost, console)
        fit(trainer, run, console)

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Loss, perplexity, bits per character and accuracy over a whole part of a text."""
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
        """A continuation, and for each of its tokens where the model looked."""
        return looked(next(self.predict(run, [text], asked)), view)
