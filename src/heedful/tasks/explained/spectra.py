"""A recording as a picture: its log-mel frames in grey, with seconds across and the bands' frequencies up."""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from heedful.data.audio.logmel import mels
from heedful.explanations.parts.axes import Axes, Axis, even
from heedful.spec.audio import FrameSpec

NAMED: Final = (125, 250, 500, 1000, 2000, 3000, 4000, 6000, 8000, 16000)  # hertz


def spectrogram(frames: Float[Tensor, "t f"]) -> UInt8[Tensor, "1 f t"]:
    """Frames as a grey picture: time across, low bands below; what is loud is light."""
    values = frames.T.flip(0).double().cpu()
    low, high = values.min(), values.max()
    return ((values - low) / (high - low).clamp(min=1e-9) * 255).round().to(torch.uint8)[None]


def axes_of(seconds: float, spec: FrameSpec) -> Axes:
    """The sides of the picture of a recording that lasts so many seconds.

    >>> place, name = axes_of(0.5, FrameSpec()).up.ticks[-1]
    >>> round(place, 2), name
    (0.88, '3000')
    """
    return Axes(even(seconds, "seconds"), Axis("hertz (mel scale)", frequencies(spec)))


def frequencies(spec: FrameSpec) -> tuple[tuple[float, str], ...]:
    """Round frequencies, by the share of the bands below them: a band is named by the frequency it takes most of."""
    low, high, *asked = (float(mels(torch.tensor(each, dtype=torch.float64))) for each in (spec.low, spec.top, *NAMED))
    width = (high - low) / (spec.bands + 1)
    places = (((each - low) / width - 0.5) / spec.bands for each in asked)
    return tuple((place, str(hertz)) for place, hertz in zip(places, NAMED, strict=True) if 0 <= place <= 1)
