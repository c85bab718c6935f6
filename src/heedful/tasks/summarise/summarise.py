"""The task summarise: the translation models, learning titles of articles, or any short text for a long one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import final

from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.written import why_written
from heedful.tasks.running import begin, go_on
from heedful.tasks.summarise.answer import Summarised, summaries
from heedful.tasks.summarise.evaluation import evaluate
from heedful.tasks.task import Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials
from heedful.tasks.translate.loading import load_seq2seq
from heedful.tasks.translate.marked import marked
from heedful.tasks.translate.preparing import prepared
from heedful.tasks.translate.translate import ready


@final
class Summarise:
    """Titles and summaries, written with copying by attention, or sentences picked by what they looked at."""

    name = "summarise"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """ROUGE-1, -2 and -L of what is written and of what is picked, beside the first sentence of each text."""
        refuse_trials(measure, self.name)
        loaded = load_seq2seq(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Summarised]:
        """A summary of each input."""
        return summaries(load_seq2seq(run), inputs, asked)

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """A summary, the words that each of its words was read from (by a method, why it was written), and the sentences it rests on."""
        answer = next(self.predict(run, [text], asked))
        found = marked(answer.written, view) if of_weights_alone(view) else why_written(answer.written, view)
        return replace(found, record={**found.record, "sentences": answer.record()["sentences"]})
