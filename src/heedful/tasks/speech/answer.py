"""What is said in one recording, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any, final

import torch

from heedful.data.audio.logmel import log_mel
from heedful.models.seq2seq.search import Hypothesis
from heedful.models.speech.joint import searched
from heedful.models.speech.listener import Heard
from heedful.models.speech.prefix import frame_logs, greedy
from heedful.spec.search import Search
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.tasks.speech.spans import Span, Word, spans, timed
from heedful.tasks.task import Record


@final
class Transcribed:
    """The text of a recording."""

    prompt = ""

    def __init__(self, loaded: LoadedSpeech, given: Input, search: Search, spot: Sequence[str] = ()) -> None:
        self.loaded, self.given, self.search, self.spot = loaded, given, search, tuple(spot)
        self.took = 0.0

    @cached_property
    def heard(self) -> Heard:
        """What the model heard."""
        return self.loaded.hear(self.given.wave[None])

    @cached_property
    def hypotheses(self) -> list[Hypothesis]:
        """The texts that were found, the best first."""
        started = perf_counter()
        found = searched(self.loaded.model, self.heard, self.search)[0]
        self.took = perf_counter() - started
        return found

    @cached_property
    def words(self) -> list[Word]:
        """The words of the best text with their frames; without frames' tokens, or too few frames, none is timed."""
        found = timed_words(self.loaded, self.heard, self.hypotheses[0].ids)
        return [Word(word.text, word.span.moved(self.skipped)) for word in found]

    @cached_property
    def skipped(self) -> int:
        """The frames before the voice that the model left out."""
        return self.loaded.skipped(log_mel(self.given.wave[None].to(self.loaded.device), self.loaded.data.frames)[0])

    @property
    def text(self) -> str:
        """The best text."""
        return self.loaded.tokenizer.decode(self.hypotheses[0].ids).strip()

    def pieces(self) -> Iterator[str]:
        """The text."""
        yield self.text

    def record(self) -> Record:
        """The recording, its text, its words with seconds, how sure each is, and how long hearing took beside how long it lasts."""
        seconds = len(self.given.wave) / self.loaded.data.frames.rate
        best = self.hypotheses[0]
        known = {} if self.given.text is None else {"truth": self.given.text}
        found: dict[str, Any] = {
            "audio": self.given.name,
            "text": self.text,
            **known,
            "seconds": round(seconds, 3),
            "words": [told(word, self.loaded.seconds) for word in self.words],
            "score": round(best.score, 6),
        }
        if self.spot:
            found["spotted"] = [word for word in found["words"] if word["word"] in self.spot]
        if self.search.best > 1:
            texts = [(self.loaded.tokenizer.decode(one.ids).strip(), one.score) for one in self.hypotheses]
            found["best"] = [{"text": text, "score": round(score, 6)} for text, score in texts]
        return found


def told(word: Word, seconds: float) -> dict[str, Any]:
    """A word with its seconds."""
    span = word.span
    return {"word": word.text, "from": round(span.first * seconds, 3), "to": round(span.last * seconds, 3), "confidence": span.confidence}


@torch.inference_mode()
def timed_words(loaded: LoadedSpeech, heard: Heard, ids: Sequence[int]) -> list[Word]:
    """The words of a text with their frames, where frames were learnt to say tokens."""
    model = loaded.model
    if not ids or not model.spec.ctc:
        return []
    logs = frame_logs(model.frames(heard.memory), heard.lengths, model.mark)[0]
    found = spans(logs, ids, model.mark)
    return [] if found is None else timed(loaded.tokenizer, ids, found)


@torch.inference_mode()
def by_frames(loaded: LoadedSpeech, heard: Heard) -> tuple[list[int], list[Span]]:
    """The tokens that frames say by themselves, and where each is likeliest."""
    model = loaded.model
    logs = frame_logs(model.frames(heard.memory), heard.lengths, model.mark)[0]
    found = greedy(logs, model.mark)
    return [token for token, _ in found], [Span(t, t + 1, round(float(logs[t, token].exp()), 4)) for token, t in found]
