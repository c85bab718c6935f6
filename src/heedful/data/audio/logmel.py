"""Log-mel frames of many waves at once, on their device: power spectrum, triangles on the mel scale, logarithm.

The frames begin at the first sample and end where a whole window does, and the bands are HTK's triangles, as in Kaldi's `fbank` without
dither, offset and pre-emphasis (Young et al. 2006, The HTK Book, §5.4-5.6).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from heedful.spec.audio import FrameSpec

FLOOR: Final = 1e-6  # of a band's power: waves go from -1 to 1, and what is below it in 16 bits is their rounding


def log_mel(waves: Float[Tensor, "b n"], spec: FrameSpec) -> Float[Tensor, "b t bands"]:
    """The logarithm of the power in each band of each frame; a wave shorter than a window is filled up with silence.

    >>> log_mel(torch.zeros(2, 8000), FrameSpec()).shape
    torch.Size([2, 98, 40])
    """
    window, step = spec.samples
    size = transform(window)
    short = max(0, window - waves.shape[1])
    # torch's frames are as long as the transform: the window stands at their beginning, and the last one reaches into silence.
    padded = pad(waves, (0, short + size - window))
    shape = pad(torch.hann_window(window, periodic=False, device=waves.device, dtype=waves.dtype), (0, size - window))
    spectrum = torch.stft(padded, size, step, size, shape, center=False, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    bands = triangles(spec, size).to(waves.device, waves.dtype)
    return (bands @ power).clamp(min=FLOOR).log().transpose(1, 2)


def frames_of(samples: Int[Tensor, " b"], spec: FrameSpec) -> Int[Tensor, " b"]:
    """How many frames waves of so many samples have: one at least.

    >>> frames_of(torch.tensor([10, 8000]), FrameSpec()).tolist()
    [1, 98]
    """
    window, step = spec.samples
    return (samples - window).clamp(min=0) // step + 1


def transform(window: int) -> int:
    """The least power of two that holds the window."""
    return 1 << (window - 1).bit_length()


@lru_cache(maxsize=8)
def triangles(spec: FrameSpec, size: int) -> Float[Tensor, "bands f"]:
    """How much of each frequency each band takes: triangles of one width on the mel scale, each rising where the one before falls."""
    mel = mels(torch.arange(size // 2 + 1, dtype=torch.float64) * spec.rate / size)
    low, high = (float(mels(torch.tensor(end, dtype=torch.float64))) for end in (spec.low, spec.top))
    width = (high - low) / (spec.bands + 1)
    left = low + width * torch.arange(spec.bands, dtype=torch.float64)[:, None]
    rise, fall = (mel - left) / width, (left + 2 * width - mel) / width
    return torch.minimum(rise, fall).clamp(min=0.0)


def mels(hertz: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Pitch as it is heard: 1127 ln(1 + f / 700)."""
    return 1127.0 * torch.log1p(hertz / 700.0)
