"""A recording in which more is said than the model writes at once: cut where it is softest, heard part by part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.logmel import log_mel
from heedful.spec.search import Search
from heedful.tasks.speech.answer import Transcribed, by_frames
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.loading import LoadedSpeech
from heedful.tasks.speech.spans import Span
from heedful.tasks.task import Record


@final
class Long:
    """The text of a recording, put together from those of its parts."""

    prompt = ""

    def __init__(self, loaded: LoadedSpeech, given: Input, starts: Sequence[int], search: Search, spot: Sequence[str] = ()) -> None:
        self.loaded, self.given, self.starts, self.spot = loaded, given, tuple(starts), tuple(spot)
        ends = [*self.starts[1:], len(given.wave)]
        self.parts = [
            Transcribed(loaded, Input(given.name, given.wave[start:end]), search) for start, end in zip(self.starts, ends, strict=True)
        ]

    @cached_property
    def text(self) -> str:
        """All of it."""
        return " ".join(part.text for part in self.parts if part.text)

    def pieces(self) -> Iterator[str]:
        """The text."""
        yield self.text

    def record(self) -> Record:
        """As of one recording; `parts` says how many it was heard in."""
        rate = self.loaded.data.frames.rate
        each = [part.record() for part in self.parts]
        words = [moved(word, start / rate) for start, part in zip(self.starts, each, strict=True) for word in part["words"]]
        known = {} if self.given.text is None else {"truth": self.given.text}
        found = {
            "audio": self.given.name,
            "text": self.text,
            **known,
            "seconds": round(len(self.given.wave) / rate, 3),
            "words": words,
            "score": round(sum(part["score"] for part in each), 6),
            "parts": len(each),
        }
        return {**found, "spotted": [word for word in words if word["word"] in self.spot]} if self.spot else found


def moved(word: Record, seconds: float) -> Record:
    """A word so many seconds later."""
    return {**word, "from": round(word["from"] + seconds, 3), "to": round(word["to"] + seconds, 3)}


def answer(loaded: LoadedSpeech, given: Input, search: Search, spot: Sequence[str] = ()) -> Transcribed | Long:
    """What is said in a recording, at once or in parts."""
    whole = Transcribed(loaded, given, search, spot)
    if not loaded.model.spec.ctc or len(whole.hypotheses[0].ids) < loaded.model.context - 1:
        return whole
    _, found = by_frames(loaded, whole.heard)
    spans = [span.moved(whole.skipped) for span in found]
    starts = cuts(spans, power(loaded, given.wave), max(1, loaded.model.context // 2))  # half: frames may miss some tokens
    step = loaded.data.frames.samples[1] * loaded.model.spec.strides
    return Long(loaded, given, [start * step for start in starts], search, spot)


def power(loaded: LoadedSpeech, wave: Float[Tensor, " n"]) -> Float[Tensor, " t"]:
    """The mean power of each of the model's frames, as a logarithm."""
    each = log_mel(wave[None], loaded.data.frames)[0].logsumexp(1)
    strides = loaded.model.spec.strides
    return torch.stack([each[place : place + strides].mean() for place in range(0, len(each), strides)])


def cuts(spans: Sequence[Span], level: Float[Tensor, " t"], most: int) -> list[int]:
    """Where parts of at most `most` tokens begin: at the softest frame between two tokens, as late as there is room for, the first at 0.

    >>> cuts([Span(1, 2, 1.0), Span(4, 5, 1.0), Span(8, 9, 1.0)], torch.tensor([0.0, 9, 3, 1, 9, 5, 2, 4, 9]), 2)
    [0, 6]
    """
    starts = [0]
    for place in range(most, len(spans), most):
        after, until = spans[place - 1].last, max(spans[place].first, spans[place - 1].last + 1)
        starts.append(after + int(level[after:until].argmin()))
    return starts
