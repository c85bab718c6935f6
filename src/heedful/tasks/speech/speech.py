"""The task speech: what is said in recordings, and in a stream as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import final

from heedful.errors import UsageError
from heedful.spec.generation import Ending, Sampling
from heedful.spec.task import RunSpec
from heedful.tasks.evaluation import record
from heedful.tasks.running import Ready, begin, go_on
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.evaluation import evaluate
from heedful.tasks.speech.explained import explained
from heedful.tasks.speech.inputs import STREAM, Input, inputs
from heedful.tasks.speech.listening import listened
from heedful.tasks.speech.loading import LoadedSpeech, load_listener
from heedful.tasks.speech.long import answer
from heedful.tasks.speech.preparing import Prepared, announce, cost_of, fit, prepared
from heedful.tasks.task import Answer, Asked, Evaluation, Explanation, Measure, Start, View, refuse_trials


@final
class Speech:
    """What is said."""

    name = "speech"

    def train(self, spec: RunSpec, start: Start) -> None:
        """Train a new model; the folder is not touched before data and model are found to fit."""
        begin(start, lambda: ready(prepared(spec)))

    def resume(self, start: Start, settings: Sequence[str]) -> None:
        """Go on with a run as it was; its loss curve is the one it would have had."""
        go_on(start, settings, lambda spec, tokenizer: ready(prepared(spec, tokenizer)))

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Word errors, by speaker and under noise."""
        refuse_trials(measure, self.name)
        loaded = load_listener(run)
        found = evaluate(loaded, measure)
        record(loaded.run, found)
        return found

    def predict(self, run: Path, inputs: Sequence[str], asked: Asked) -> Iterator[Answer]:
        """What is said in each recording; of a stream (-) an answer for each thing that is heard, as it is."""
        refuse(asked)
        loaded = load_listener(run)
        for word in inputs:
            if word == STREAM:
                yield from listened(loaded, asked)
            else:
                yield from (answer(loaded, given, asked.search, asked.hearing.words) for given in named(loaded, word))

    def explain(self, run: Path, text: str, asked: Asked, view: View) -> Explanation:
        """What is said in a recording, and where each word was heard."""
        refuse(asked)
        if text == STREAM:
            raise UsageError("a stream is gone once it was heard: a recording, or test:0 of the run's own data, can be explained")
        loaded = load_listener(run)
        return explained(Transcribed(loaded, next(named(loaded, text)), asked.search, asked.hearing.words), view)


def named(loaded: LoadedSpeech, word: str) -> Iterator[Input]:
    """The recordings that a word names."""
    return inputs([word], loaded.data.frames.rate, lambda part: loaded.recordings().part(part))


def ready(found: Prepared) -> Ready:
    """The job with its cost."""
    cost = cost_of(found.job)
    return Ready(found.job, lambda console: announce(found, cost, console), fit, "samples")


def refuse(asked: Asked) -> None:
    """Refuse what is said of texts that go on."""
    if (asked.sampling, asked.ending) != (Sampling(), Ending()) or asked.search.sample or asked.search.extract:
        raise UsageError("options of sampling, ending and extracting are for texts that go on: what is heard is searched for, by --beams")
