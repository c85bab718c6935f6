"""A run of speech that is kept open: what was said, and where in the recording each token of it looked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from heedful.data.audio.decode import decoded
from heedful.data.audio.recordings import Recordings
from heedful.errors import UsageError
from heedful.explanations.subject import Subject
from heedful.layers.attention import AttentionLayer
from heedful.models.speech.transformer import TransformerSpeller
from heedful.spec.search import Search
from heedful.tasks.explained.sounds import of_recording
from heedful.tasks.explained.spectra import axes_of, spectrogram
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.explained import looked, pictured
from heedful.tasks.speech.inputs import Input, inputs
from heedful.tasks.speech.loading import load_listener
from heedful.tasks.task import Answer, Asked, Record
from heedful.tasks.translate.units import END
from heedful.web.reading import Laid, Map, Reading
from heedful.web.runs.muting import across
from heedful.web.runs.run import ByHand, Kind, Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.way import Way, brought
from heedful.web.runs.why import UNSEEN


@final
class Hearing(Way):
    """A model of speech."""

    takes: Kind = "file"
    by_hand: ByHand | None = "record"
    methods = UNSEEN

    def __init__(self, path: Path) -> None:
        self.loaded = load_listener(path)
        self.model = self.loaded.model

    @property
    def heads(self) -> Sequence[AttentionLayer]:
        """The layers that look from what is written to what was heard."""
        speller = self.loaded.model.speller
        return across(speller.blocks) if isinstance(speller, TransformerSpeller) else []

    def facts(self) -> Record:
        """Sizes."""
        return {"vocabulary": self.loaded.model.vocabulary, "context": self.loaded.model.context, **sizes(self.loaded.model)}

    def answer(self, text: str, asked: Asked) -> Answer:
        """What is said in the file at a path."""
        return Transcribed(self.loaded, next(inputs([text], self.loaded.data.frames.rate, nobodys)), asked.search, asked.hearing.words)

    def transcribed(self, wanted: Wanted) -> Transcribed:
        """What is said in a recording that was brought."""
        file = brought(wanted, "recording")
        wave = decoded(file.content, file.name, self.loaded.data.frames.rate)
        return Transcribed(self.loaded, Input(file.name, wave), Search())

    def reading(self, wanted: Wanted) -> Reading:
        """What was said, and the weights of every head over the recording."""
        answer = self.transcribed(wanted)
        record, traces, step = answer.record(), looked(answer), self.loaded.seconds
        maps = tuple(Map(trace.name, trace.weights[0].float().cpu(), 0, 1) for trace in traces)
        count = maps[0].weights.shape[-1]
        frames, seconds = pictured(answer, count)
        laid = Laid(spectrogram(frames), count, 1, axes_of(seconds, self.loaded.data.frames))
        said = [*(self.loaded.tokenizer.show(i) for i in answer.hypotheses[0].ids), END]
        times = [f"{i * step:.2f} s" for i in range(count)]
        return Reading(record, (said, times), maps, notes=timed(record), aligned=True, laid=laid)

    def subject(self, wanted: Wanted) -> Subject:
        """All that was said."""
        return of_recording(self.transcribed(wanted))


def timed(record: Record) -> tuple[str, ...]:
    """When each word was said, in words, where that is known."""
    words = [f"{each['word']} {each['from']:.2f} to {each['to']:.2f} s ({each['confidence']:.0%})" for each in record["words"]]
    return (f"When each word was said: {', '.join(words)}.",) if words else ()


def nobodys(part: str) -> Recordings:
    """A client names no recording of the run's own data."""
    raise UsageError(f"{part}: the recordings that the run learnt from are not served: a file would work")
