"""What takes a stream in: samples as they come, at any rate, to frames that were heard, as many as can be said for sure."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.logmel import log_mel
from heedful.data.audio.resample import Resampler
from heedful.models.speech.listener import Heard
from heedful.tasks.speech.loading import LoadedSpeech


@final
class Ear:
    """Samples in, and the frames of the utterance that is open out.

    A causal model hears each frame once and goes on; one that wants the whole recording hears the open utterance anew each time.
    """

    def __init__(self, loaded: LoadedSpeech, rate: int) -> None:
        self.loaded, self.model = loaded, loaded.model
        self.resampler = Resampler(rate, loaded.data.frames.rate)
        self.samples = torch.zeros(0)
        self.waiting = torch.zeros(1, 0, loaded.data.frames.bands)
        self.held = self.model.fresh() if self.causal else None
        self.open: Tensor | None = None  # frames before they are heard, or what was heard of them
        self.start = 0  # what was heard before the open utterance, in frames of the model

    @property
    def causal(self) -> bool:
        """Whether the model hears a stream as it comes."""
        return self.model.spec.encoder.causal

    @property
    def length(self) -> int:
        """Frames of the model in the open utterance."""
        return 0 if self.open is None else self.open.shape[1] if self.causal else -(-self.open.shape[1] // self.model.spec.strides)

    @torch.inference_mode()
    def take(self, wave: Float[Tensor, " n"], last: bool = False) -> None:
        """Hear some more samples; of the last ones every frame."""
        self.samples = torch.cat([self.samples, self.resampler.push(wave, last)])
        frames = self.framed(last)
        self.waiting = torch.cat([self.waiting, frames], dim=1)
        strides = self.model.spec.strides
        sure = self.waiting.shape[1] if last else self.waiting.shape[1] // strides * strides
        new, self.waiting = self.waiting[:, :sure].to(self.loaded.device), self.waiting[:, sure:]
        if not sure:
            return
        if self.held is not None:
            new = self.model.go_on(new, self.held)
        self.open = new if self.open is None else torch.cat([self.open, new], dim=1)

    def framed(self, last: bool) -> Float[Tensor, "1 t f"]:
        """The whole windows among the samples that are left; of a stream shorter than one, silence behind it."""
        spec = self.loaded.data.frames
        window, step = spec.samples
        nothing = self.open is None and not self.waiting.shape[1] and not self.start
        count = (len(self.samples) - window) // step + 1 if len(self.samples) >= window else int(last and nothing)
        if count < 1:
            return torch.zeros(1, 0, spec.bands)
        used = self.samples[: (count - 1) * step + window]
        self.samples = self.samples[count * step :]
        return log_mel(used[None], spec)

    @torch.inference_mode()
    def heard(self) -> Heard | None:
        """What was heard of the open utterance; None before there is a frame."""
        if self.open is None or not self.open.shape[1]:
            return None
        length = torch.tensor([self.open.shape[1]], device=self.open.device)
        return Heard(self.open, length) if self.causal else self.model.hear(self.open, length)

    def close(self, kept: int = 0) -> None:
        """End the open utterance; the last frames that are `kept` begin the next one."""
        self.start += self.length - kept
        if self.open is not None:
            left = kept if self.causal else kept * self.model.spec.strides
            self.open = self.open[:, self.open.shape[1] - left :]
