"""The task caption: a picture described in words, and questions about it answered, by attention from words to places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from heedful.spec.task import RunSpec
from heedful.tasks.caption.answer import Captioned, captioned
from heedful.tasks.caption.evaluation import evaluate
from heedful.tasks.caption.explained import explained
from heedful.tasks.caption.loading import load_captioner
from heedful.tasks.caption.preparing import Prepared, announce, cost_of, fit, prepared
from heedful.tasks.evaluation import record
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials


@final
class Caption:
    """Captions of pictures, and answers to questions about them."""

    name = "caption"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Captions and answers that are right to the letter, and the pointing test of nouns."""
        refuse_trials(measure, self.name)
        loaded = load_captioner(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Captioned]:
        """A caption of each picture, or the answer to the question about it."""
        return captioned(load_captioner(run), inputs, asked)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A caption or an answer, and where in the picture each of its words looked."""
        return explained(next(self.predict(run, [text], asked)), view)


def ready(found: Prepared) -> Ready:
    """The job with its cost."""
    cost = cost_of(found.job.model)
    return Ready(found.job, lambda console: announce(found, cost, console), fit, "pictures")
