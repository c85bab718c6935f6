"""What takes a stream in: samples as they come, at any rate, to frames that were heard, as many as can be said for sure."""

from __future__ import annotations

from typing import Final, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.logmel import log_mel
from heedful.data.audio.resample import Resampler
from heedful.models.speech.levels import cut, voiced
from heedful.models.speech.listener import Heard
from heedful.tasks.speech.loading import LoadedSpeech

QUIET: Final = 30.0  # dB below an utterance's loudest frame: what is softer at its ends is silence


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
        self.frames = self.waiting.to(loaded.device)  # of the open utterance
        self.held = self.model.fresh() if self.causal else None
        self.memory: Tensor | None = None  # what a causal model heard of them
        self.start = 0  # what was heard before the open utterance, in frames of the model

    @property
    def causal(self) -> bool:
        """Whether the model hears a stream as it comes."""
        return self.model.spec.encoder.causal

    @property
    def length(self) -> int:
        """Frames of the model in the open utterance."""
        return -(-self.frames.shape[1] // self.model.spec.strides)

    @property
    def skipped(self) -> int:
        """Frames of the model that it leaves out of the open utterance before a voice begins."""
        return self.loaded.skipped(self.frames[0])

    @torch.inference_mode()
    def take(self, wave: Float[Tensor, " n"], last: bool = False) -> None:
        """Hear some more samples; of the last ones every frame."""
        self.samples = torch.cat([self.samples, self.resampler.push(wave, last)])
        self.waiting = torch.cat([self.waiting, self.framed(last)], dim=1)
        strides = self.model.spec.strides
        sure = self.waiting.shape[1] if last else self.waiting.shape[1] // strides * strides
        new, self.waiting = self.waiting[:, :sure].to(self.loaded.device), self.waiting[:, sure:]
        self.frames = torch.cat([self.frames, new], dim=1)
        self.go_on(new)

    def go_on(self, new: Float[Tensor, "1 t f"]) -> None:
        """Let a causal model hear the next frames."""
        if self.held is None or not new.shape[1]:
            return
        heard = self.model.go_on(new, self.held)
        self.memory = heard if self.memory is None else torch.cat([self.memory, heard], dim=1)

    def framed(self, last: bool) -> Float[Tensor, "1 t f"]:
        """The whole windows among the samples that are left; of a stream shorter than one, silence behind it."""
        spec = self.loaded.data.frames
        window, step = spec.samples
        nothing = not self.length and not self.waiting.shape[1] and not self.start
        count = (len(self.samples) - window) // step + 1 if len(self.samples) >= window else int(last and nothing)
        if count < 1:
            return torch.zeros(1, 0, spec.bands)
        used = self.samples[: (count - 1) * step + window]
        self.samples = self.samples[count * step :]
        return log_mel(used[None], spec)

    @torch.inference_mode()
    def heard(self) -> Heard | None:
        """What was heard of the open utterance; None before there is a frame."""
        length = torch.tensor([self.frames.shape[1]], device=self.frames.device)
        if not self.length:
            return None
        return self.model.hear(self.frames, length) if self.memory is None else Heard(self.memory, torch.full_like(length, self.length))

    @torch.inference_mode()
    def alone(self, count: int) -> Heard:
        """The first `count` frames of the open utterance heard as a recording, without the silence before and behind its voice."""
        frames = self.frames[:, : count * self.model.spec.strides]
        first, length = voiced(frames, torch.tensor([frames.shape[1]], device=frames.device), QUIET)
        return self.model.hear(cut(frames, first, length), length)

    def softest(self, after: int) -> int:
        """The model's frame with the least power behind frame `after` of the open utterance (the last of equals; the end if none is)."""
        strides = self.model.spec.strides
        power = self.frames[0].logsumexp(1)
        means = torch.stack([power[place : place + strides].mean() for place in range(0, len(power), strides)])[after + 1 :]
        return self.length if not len(means) else after + 1 + int((means == means.min()).nonzero()[-1])

    @torch.inference_mode()
    def close(self, kept: int = 0) -> None:
        """End the open utterance; the last frames that are `kept` begin the next one, which is heard as one that nothing went before."""
        self.start += self.length - kept
        self.frames = self.frames[:, self.frames.shape[1] - kept * self.model.spec.strides :]
        if self.causal:
            self.held, self.memory = self.model.fresh(), None
            self.go_on(self.frames)
