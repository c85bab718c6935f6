"""Why a word was heard: a recording as a subject, its units stretches of time, its features log-mel frames.

The answer is the decoder's probability of the word; what tokens counted frame by frame add to a search is no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import Final, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.data.audio.logmel import FLOOR, log_mel
from heedful.errors import UsageError
from heedful.explanations.parts.axes import Axes
from heedful.explanations.subject import Grid
from heedful.manage.still import still
from heedful.models.speech.listener import Listener
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.modelled import Modelled
from heedful.tasks.explained.reader import gathered
from heedful.tasks.explained.spectra import axes_of, spectrogram
from heedful.tasks.explained.writing import Wanted, spoken, wanted_of
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.task import Explanation, View

MOST: Final = 48  # stretches
LEAST: Final = 4  # frames of one
STEMMED: Final = "its layers read frames that convolutions have put together, which are no stretches of time: quick or measured would work"


@final
@dataclass(frozen=True)
class Words:
    """Which tokens are asked for, after which, and what they are held against."""

    before: tuple[int, ...]
    target: tuple[int, ...]
    contrast: tuple[int, ...] = ()


@final
class Sound(Modelled):
    """The frames (t, f) of a recording and some of the words written for it; see `Subject`. `seconds` is how long it lasts."""

    replacements = ("baseline", "mask")
    no_attention = watchable = STEMMED
    grid: Grid

    def __init__(
        self,
        model: Listener,
        frames: Float[Tensor, "t f"],
        seconds: float,
        words: Words,
        named: tuple[str, str | None],
        axes: Axes | None = None,
    ) -> None:
        self.model: nn.Module = model
        self.listener, self.frames, self.seconds, self.words = model, frames, seconds, words
        self.answer, self.contrast = named
        count = max(1, min(MOST, len(frames) // LEAST))
        owner = torch.arange(len(frames)) * count // len(frames)
        self.places = tuple(tuple((owner == i).nonzero().flatten().tolist()) for i in range(count))
        edges = [(places[0], places[-1] + 1) for places in self.places]
        step = seconds / len(frames)
        self.names = tuple(f"{first * step:.2f} to {end * step:.2f} s " for first, end in edges)
        self.grid = Grid(spectrogram(frames), 1, count, axes)

    @property
    def features(self) -> Float[Tensor, "t f"]:
        """The frames."""
        return self.frames

    @cached_property
    def baseline(self) -> Float[Tensor, "t f"]:
        """The mean frame of the recordings that the model learnt from."""
        return self.listener.mean.to(self.features).expand_as(self.features)

    @property
    def at_once(self) -> int:
        """How many recordings a batch may have."""
        return 32

    @torch.no_grad()
    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the words where only some of the stretches are left."""
        way = replacement or self.replacements[0]
        if way not in self.replacements:
            raise UsageError(f"replacement {way!r}: recordings have baseline (the mean frame) and mask (silence)")
        silent = torch.full_like(self.features, log(FLOOR))
        return self.of_gone(self.places_of(kept), self.baseline if way == "baseline" else silent)

    def of_features(self, features: Float[Tensor, "b t f"]) -> Float[Tensor, " b"]:
        """The log-probability of the words as a function of the frames."""
        with still(self.model):
            found = self.of_answer(features, self.words.target)
            return found - self.of_answer(features, self.words.contrast) if self.words.contrast else found

    def of_answer(self, x: Float[Tensor, "b t f"], answer: tuple[int, ...]) -> Float[Tensor, " b"]:
        """The log-probability of some tokens."""
        ids = torch.tensor([*self.words.before, *answer[:-1]], device=x.device).expand(len(x), -1)
        lengths = torch.full((len(x),), x.shape[1], device=x.device)
        places = len(self.words.before) - 1 + torch.arange(len(answer), device=x.device)
        return gathered(self.listener(x, lengths, ids).logits, places.expand(len(x), -1), answer)

    def again(self, model: nn.Module) -> Sound:
        """The same recording and words under another model."""
        assert isinstance(model, Listener)
        return Sound(model, self.frames, self.seconds, self.words, (self.answer, self.contrast), self.grid.axes)


def of_recording(answer: Transcribed, target: object = None, contrast: object = None) -> Sound:
    """Why these words were heard: all of them unless one is given."""
    loaded, ids = answer.loaded, tuple(answer.hypotheses[0].ids)
    if not ids:
        raise UsageError(f"{answer.given.name}: no word was heard in it, so there is nothing to explain")
    return of_heard(answer, ids, wanted_of(ids, loaded.model.mark, loaded.tokenizer, target, contrast))


def of_heard(answer: Transcribed, ids: tuple[int, ...], wanted: Wanted) -> Sound:
    """Why some of the tokens of a text were heard after those before them."""
    loaded = answer.loaded
    words = Words((loaded.model.mark, *ids[: wanted.first]), wanted.target, wanted.contrast)
    said, against = (spoken(tokens, loaded.tokenizer, loaded.model.mark) for tokens in (wanted.target, wanted.contrast))
    frames = log_mel(answer.given.wave[None].to(loaded.device), loaded.data.frames)[0]
    seconds = len(answer.given.wave) / loaded.data.frames.rate
    return Sound(loaded.model, frames, seconds, words, (said, against or None), axes_of(seconds, loaded.data.frames))


def why_heard(answer: Transcribed, view: View) -> Explanation:
    """The text, or one of its words, with the stretches of time that speak for and against it."""
    loaded = answer.loaded
    subject = of_recording(answer, view.target, view.contrast)
    return answered(reasons(loaded.run.path, subject, loaded.model, view), view, answer.record(), [], f"{loaded.run.path}")
