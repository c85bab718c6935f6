"""A run's model of speech and its spec, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.recordings import RecordingSet
from heedful.data.audio.sources import load_speech
from heedful.data.tokens import Tokenizer
from heedful.models.speech.listener import Heard, Listener, build_listener
from heedful.spec.audio import SpeechDataSpec
from heedful.spec.check import SpecError
from heedful.spec.task import RunSpec
from heedful.tasks.restored import restored
from heedful.train.run import Run
from heedful.train.speech import framed


@dataclass(frozen=True, eq=False)
class LoadedSpeech:
    """What a run has learnt: its best model, in evaluation mode, and the tokens it writes."""

    run: Run
    model: Listener
    tokenizer: Tokenizer
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def data(self) -> SpeechDataSpec:
        """The data of the run."""
        return speech_of(self.spec)

    @property
    def seconds(self) -> float:
        """How much time one frame of what was heard stands for."""
        return self.data.frames.samples[1] * self.model.spec.strides / self.data.frames.rate

    def recordings(self, data: str | None = None) -> RecordingSet:
        """The run's own recordings, or others read the same way, as they are."""
        own = self.data
        return load_speech(own if data is None else replace(own, source=data, audio=None, text=None, leave=None, limit=None, join=None))

    @torch.inference_mode()
    def hear(self, waves: Float[Tensor, "b n"], lengths: Tensor | None = None) -> Heard:
        """What waves come to; all are whole unless `lengths` say how many samples of each are."""
        lengths = torch.full((len(waves),), waves.shape[1]) if lengths is None else lengths
        return self.model.hear(*framed(waves.to(self.device), lengths.to(self.device), self.data.frames))

    def skipped(self, frames: Float[Tensor, "t bands"]) -> int:
        """How many of the model's own frames it leaves out before a voice begins."""
        first, _ = self.model.spoken(frames[None], torch.tensor([len(frames)], device=frames.device))
        return int(first) // self.model.spec.strides


def load_listener(path: Path) -> LoadedSpeech:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_listener)
    return LoadedSpeech(found.run, found.model, found.tokenizer, found.spec)


def speech_of(spec: RunSpec) -> SpeechDataSpec:
    """The data, if it is speech; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, SpeechDataSpec):
        raise SpecError("data.kind", f"wants speech for the task {spec.task}, found {spec.data.kind}")
    return spec.data
