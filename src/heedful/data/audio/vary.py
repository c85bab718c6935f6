"""Waves and frames varied while learning, a batch at a time and on its device.

Speed: Ko et al. 2015 (Interspeech, "Audio augmentation for speech recognition"). Masks: Park et al. 2019 (arXiv 1904.08779, §2). Warped
bands: Jaitly & Hinton 2013 (ICML workshop, "Vocal tract length perturbation"), here linear over all bands.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.data.audio.resample import by_ratio
from heedful.spec.audio import FrameSpec, VarySpec

PARTS: Final = 40  # a speed is a fraction of so many parts, so that its filter is small
STEEPEST: Final = 2.0  # noise falls by up to this power of the frequency: 0 is white, 1 pink, 2 brown

Waves = tuple[Float[Tensor, "b n"], Int[Tensor, " b"]]


def varied(waves: Float[Tensor, "b n"], lengths: Int[Tensor, " b"], spec: VarySpec, rate: int) -> Waves:
    """The waves as `spec` says, drawn from torch's generator: another speed for the batch, all else for each.

    >>> one, length = varied(torch.randn(2, 100), torch.tensor([100, 60]), VarySpec(speed=0.2, noisy=1.0), 8000)
    >>> one.shape[1] == int(length.max())
    True
    """
    if spec.speed:
        waves, lengths = at_speed(waves, lengths, drawn(1.0 - spec.speed, 1.0 + spec.speed))
    if spec.room:
        waves, lengths = roomier(waves, lengths, round(spec.room * rate))
    if spec.level:
        waves = waves * 10 ** (uniform(waves, -spec.level, spec.level) / 20)
    if spec.noisy:
        loud = torch.where(uniform(waves, 0, 1) < spec.noisy, uniform(waves, spec.loudest, spec.softest), math.inf)
        waves = noisy(waves, lengths, loud, STEEPEST * torch.rand(len(waves), 1, device=waves.device))
    return waves, lengths


def drawn(low: float, high: float) -> float:
    """One number between two."""
    return low + (high - low) * float(torch.rand(()))


def uniform(like: Float[Tensor, "b n"], low: float, high: float) -> Float[Tensor, "b 1"]:
    """A number for each row."""
    return low + (high - low) * torch.rand(len(like), 1, device=like.device)


def at_speed(waves: Float[Tensor, "b n"], lengths: Int[Tensor, " b"], longer: float) -> Waves:
    """The waves played so that they take about `longer` times as long; pitch and resonances move with it."""
    ratio = Fraction(max(1, round(longer * PARTS)), PARTS)
    played = by_ratio(waves, ratio.numerator, ratio.denominator)
    new = -(-lengths * ratio.numerator // ratio.denominator)
    return played * inside(played, new), new


def roomier(waves: Float[Tensor, "b n"], lengths: Int[Tensor, " b"], most: int) -> Waves:
    """Each wave behind and before up to `most` samples of silence."""
    before, after = (torch.randint(0, most + 1, (len(waves),), device=waves.device) for _ in range(2))
    new = before + lengths + after
    place = torch.arange(int(new.max()), device=waves.device) - before[:, None]
    there = (place >= 0) & (place < lengths[:, None])
    return torch.where(there, waves.gather(1, place.clamp(0, waves.shape[1] - 1)), 0.0), new


def noisy(
    waves: Float[Tensor, "b n"],
    lengths: Int[Tensor, " b"],
    decibels: Float[Tensor, "b 1"],
    fall: Float[Tensor, "b 1"],
    white: Float[Tensor, "b n"] | None = None,
) -> Float[Tensor, "b n"]:
    """The waves with noise so many decibels under each one's mean power (infinite: none); its power falls by `fall` with the frequency.

    `white` is the noise before it is coloured, drawn from torch's generator unless given.

    >>> wave = torch.ones(1, 8000)
    >>> both = noisy(wave, torch.tensor([8000]), torch.tensor([[20.0]]), torch.tensor([[0.0]]))
    >>> round(float((both - wave).square().mean()), 4)
    0.01
    """
    real = inside(waves, lengths)
    noise = coloured(torch.randn_like(waves) if white is None else white, fall) * real
    power = (waves.square() * real).sum(1, keepdim=True) / lengths[:, None]
    own = noise.square().sum(1, keepdim=True) / lengths[:, None]
    return waves + noise * (power / own.clamp(min=1e-12) * 10 ** (-decibels / 10)).sqrt()


def coloured(noise: Float[Tensor, "b n"], fall: Float[Tensor, "b 1"]) -> Float[Tensor, "b n"]:
    """White noise as noise whose power falls by a power of the frequency."""
    spectrum = torch.fft.rfft(noise)
    place = torch.arange(spectrum.shape[1], device=noise.device).clamp(min=1)
    found: Tensor = torch.fft.irfft(spectrum * place ** (-fall / 2), n=noise.shape[1])
    return found


def inside(waves: Float[Tensor, "b n"], lengths: Int[Tensor, " b"]) -> Tensor:
    """Which samples are not padding."""
    return torch.arange(waves.shape[1], device=waves.device) < lengths[:, None]


def masked(frames: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"], spec: VarySpec, step: FrameSpec) -> Float[Tensor, "b t f"]:
    """The frames with bands warped and stretches of time and bands blanked out: each its row's mean over time."""
    if spec.warp:
        frames = warped(frames, 1.0 + uniform(frames[:, :, 0], -spec.warp, spec.warp))
    if not spec.time_masks and not spec.band_masks:
        return frames
    time = torch.arange(frames.shape[1], device=frames.device)
    band = torch.arange(frames.shape[2], device=frames.device)
    hidden = torch.zeros(frames.shape, dtype=torch.bool, device=frames.device)
    bands, widest = (torch.full_like(lengths[:, None], count) for count in (frames.shape[2], spec.band_width))
    for _ in range(spec.time_masks):
        # never more than a third of a recording: short words would be gone
        most = (lengths[:, None] / 3).clamp(max=spec.time_width / step.step)
        hidden |= stretch(time, lengths[:, None], most)[:, :, None]
    for _ in range(spec.band_masks):
        hidden |= stretch(band, bands, widest)[:, None]
    real = (time < lengths[:, None])[:, :, None]
    mean = (frames * real).sum(1, keepdim=True) / lengths[:, None, None]
    return torch.where(hidden, mean, frames)


def stretch(places: Int[Tensor, " n"], whole: Tensor, most: Tensor) -> Tensor:
    """Which of the places lie in a stretch of up to `most` drawn anywhere in `whole`, for each row."""
    width = (torch.rand(len(whole), 1, device=places.device) * (most + 1)).floor()
    start = (torch.rand(len(whole), 1, device=places.device) * (whole - width + 1).clamp(min=0)).floor()
    return (places >= start) & (places < start + width)


def warped(frames: Float[Tensor, "b t f"], factor: Float[Tensor, "b 1"]) -> Float[Tensor, "b t f"]:
    """Band i is what stood at i / factor, between two bands a part of each."""
    bands = frames.shape[2]
    place = (torch.arange(bands, device=frames.device) / factor).clamp(max=bands - 1.0)
    low = place.floor().long().clamp(max=bands - 2)
    share = (place - low)[:, None]
    at = low[:, None].expand(-1, frames.shape[1], -1)
    return frames.gather(2, at) * (1 - share) + frames.gather(2, at + 1) * share
