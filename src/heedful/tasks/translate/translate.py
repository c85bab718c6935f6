"""The task translate: a text in another language, or in any other form that pairs of texts teach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.written import why_written
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials
from heedful.tasks.translate.answer import Translated, translations
from heedful.tasks.translate.evaluation import evaluate
from heedful.tasks.translate.loading import load_seq2seq
from heedful.tasks.translate.marked import marked
from heedful.tasks.translate.preparing import Prepared, announce, cost_of, fit, prepared


@final
class Translate:
    """Translation, and any rewriting that pairs of texts teach."""

    name = "translate"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """BLEU, cased and not, and chrF, with their signatures, beside the sources as they stand."""
        refuse_trials(measure, self.name)
        loaded = load_seq2seq(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Translated]:
        """A translation of each input."""
        return translations(load_seq2seq(run), inputs, asked)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A translation, and which words of the source each of its words was read from; by a method, why it, or one word, was written."""
        answer = next(self.predict(run, [text], asked))
        return marked(answer, view) if of_weights_alone(view) else why_written(answer, view)


def ready(found: Prepared) -> Ready:
    """The job with its cost."""
    cost = cost_of(found.job)
    return Ready(found.job, lambda console: announce(found, cost, console), fit)
