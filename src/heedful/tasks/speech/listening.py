"""A stream as it comes: what was said so far, the words that were waited for, and each utterance once it has ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, BinaryIO, Final, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.tokens.word import Words
from heedful.errors import DataError, UsageError
from heedful.models.speech.joint import searched
from heedful.spec.hearing import Hearing
from heedful.tasks.speech.answer import by_frames, told
from heedful.tasks.speech.ear import Ear
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.tasks.speech.spans import Word, timed
from heedful.tasks.task import Asked, Record

LONGEST: Final = 30.0  # seconds after which an utterance is ended though nobody paused


@final
@dataclass(frozen=True)
class Event:
    """One thing that was heard: a record, and a line that says it."""

    told: Record
    line: str
    prompt: str = ""

    def pieces(self) -> Iterator[str]:
        """The line."""
        yield self.line

    def record(self) -> Record:
        """What was heard, when, and how long hearing took for each second of the stream."""
        return self.told


def listened(loaded: LoadedSpeech, asked: Asked, source: BinaryIO | None = None) -> Iterator[Event]:
    """What is heard in raw 16-bit mono sound, little end first, from standard input unless `source` is given.

    Raises `DataError` for a stream without a sample or with a file's head, `UsageError` for a model whose frames say no tokens.
    """
    if not loaded.model.spec.ctc:
        raise UsageError("a stream is heard frame by frame, and this model was trained with model.ctc=0: one above 0 would work")
    hearing = asked.hearing
    listener = Listening(loaded, asked)
    for wave, last in chunks(source or sys.stdin.buffer, hearing):
        yield from listener.heard(wave, last)
    yield listener.farewell()


def chunks(source: BinaryIO, hearing: Hearing) -> Iterator[tuple[Float[Tensor, " n"], bool]]:
    """The stream in chunks from -1 to 1, and whether each is the last."""
    size = 2 * max(1, round(hearing.rate * hearing.chunk))
    data = source.read(size)
    if data[:4] in (b"RIFF", b"fLaC", b"OggS"):
        raise DataError("- is raw 16-bit sound, and a sound file came: its path in place of - would work")
    if len(data) < 2:
        raise DataError("no sound came on standard input: raw 16-bit mono sound, --rate samples a second, would work")
    while data:
        after = source.read(size)
        samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.float32) / 32768.0
        yield torch.from_numpy(samples), not after
        data = after


@final
class Listening:
    """The state of one stream."""

    def __init__(self, loaded: LoadedSpeech, asked: Asked) -> None:
        self.loaded, self.asked = loaded, asked
        self.ear = Ear(loaded, asked.hearing.rate)
        self.seconds, self.busy = 0.0, 0.0
        self.text, self.examined = "", 0

    def heard(self, wave: Float[Tensor, " n"], last: bool) -> list[Event]:
        """What some more of the stream tells."""
        started = perf_counter()
        self.ear.take(wave, last)
        self.seconds += len(wave) / self.asked.hearing.rate
        found = self.news(last)
        self.busy += perf_counter() - started
        return [self.event(kind, record, line) for kind, record, line in found]

    def news(self, last: bool) -> list[tuple[str, dict[str, Any], str]]:
        """Words that were waited for, the text so far where it is another, and the utterance if it has ended."""
        heard = self.ear.heard()
        if heard is None:
            return []
        ids, found_at = by_frames(self.loaded, heard)
        if not ids:
            return self.silence()
        places = [span.moved(self.ear.skipped) for span in found_at]
        words = timed(self.loaded.tokenizer, ids, places)
        quiet = (self.ear.length - places[-1].last) * self.loaded.seconds
        ended = last or quiet >= self.asked.hearing.pause or self.ear.length * self.loaded.seconds >= LONGEST
        found = [("spotted", self.at(word), word.text) for word in self.new(words, ended) if word.text in self.asked.hearing.words]
        text = " ".join(word.text for word in words)
        if text != self.text and not ended:
            found.append(("partial", {"text": text}, text))
        self.text = text
        return [*found, self.ended(self.ear.length if last else self.ear.softest(places[-1].last))] if ended else found

    def new(self, words: list[Word], ended: bool) -> list[Word]:
        """The words that are whole and were not there before: the last one may still grow where tokens are parts of words."""
        whole = len(words) if ended or isinstance(self.loaded.tokenizer, Words) else len(words) - 1
        found = words[self.examined : whole]
        self.examined = max(self.examined, whole)
        return found

    def ended(self, count: int) -> tuple[str, dict[str, Any], str]:
        """The utterance as a search over the whole of it hears it: the first `count` frames of what is open; the rest begins the next."""
        best = searched(self.loaded.model, self.ear.alone(count), self.asked.search)[0][0]
        text = self.loaded.tokenizer.decode(best.ids).strip()
        begun, step = self.ear.start, self.loaded.seconds
        self.ear.close(self.ear.length - count)
        self.text, self.examined = "", 0
        return "final", {"text": text, "from": round(begun * step, 3), "to": round((begun + count) * step, 3)}, text

    def silence(self) -> list[tuple[str, dict[str, Any], str]]:
        """Nothing was said: what was heard is let go but for a moment."""
        kept = max(1, round(self.asked.hearing.pause / self.loaded.seconds))
        if self.ear.length > 4 * kept:
            self.ear.close(kept)
        self.text, self.examined = "", 0
        return []

    def at(self, word: Word) -> dict[str, Any]:
        """A word with its seconds in the stream."""
        return told(Word(word.text, word.span.moved(self.ear.start)), self.loaded.seconds)

    def event(self, kind: str, record: dict[str, Any], line: str) -> Event:
        """What was heard, with the time it was known and how long hearing took."""
        whole = {"heard": kind, **record, "at": round(self.seconds, 3), "real_time": self.real_time}
        sign = {"spotted": "*", "final": "="}.get(kind, " ")
        return Event(whole, f"{self.seconds:7.2f} s {sign} {line}")

    def farewell(self) -> Event:
        """How long the stream was, and how long hearing it took."""
        return Event(
            {"heard": "end", "seconds": round(self.seconds, 3), "real_time": self.real_time},
            f"{self.seconds:7.2f} s . heard in {self.busy:.2f} s, {self.real_time:.3f} of its length",
        )

    @property
    def real_time(self) -> float:
        """Seconds of work a second of the stream."""
        return round(self.busy / self.seconds, 4) if self.seconds else 0.0
