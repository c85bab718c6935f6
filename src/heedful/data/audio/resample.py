"""Another rate by a polyphase filter: a windowed sinc, of which each output sample needs every up-th tap (Crochiere & Rabiner 1983, §2.5).

The taps are scipy's `resample_poly`'s: ten zero crossings a side under Kaiser's window of 5, summing to `up`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv1d, pad

CROSSINGS: Final = 10
KAISER: Final = 5.0
FINEST: Final = 512  # the largest part of a ratio: a rate is met to one in a quarter of a million, and kernels stay small


def resampled(waves: Float[Tensor, "b n"], old: int, new: int) -> Float[Tensor, "b m"]:
    """Waves of `old` samples a second as waves of `new`; there are ceil(n new / old) of them.

    >>> resampled(torch.zeros(1, 441), 44100, 8000).shape
    torch.Size([1, 80])
    """
    ratio = Fraction(new, old).limit_denominator(FINEST)
    return by_ratio(waves, ratio.numerator, ratio.denominator)


def by_ratio(waves: Float[Tensor, "b n"], up: int, down: int) -> Float[Tensor, "b m"]:
    """`up` samples for every `down`; the ratio is in its lowest terms."""
    if up == down or not waves.shape[1]:
        return waves
    length = -(-waves.shape[1] * up // down)
    kernels, before = phases(up, down, waves.dtype)
    rows = -(-length // up)  # each step of the filter gives `up` samples and goes `down` on
    after = (rows - 1) * down + kernels.shape[2] - before - waves.shape[1]
    spread = conv1d(pad(waves[:, None], (before, max(0, after))), kernels.to(waves.device), stride=down)
    return spread[:, :, :rows].transpose(1, 2).flatten(1)[:, :length]


@lru_cache(maxsize=16)
def phases(up: int, down: int, dtype: torch.dtype) -> tuple[Float[Tensor, "up 1 k"], int]:
    """The taps of each of `up` output samples over the same stretch of input, and how far it begins before the first."""
    half = CROSSINGS * max(up, down)
    taps = lowpass(half, max(up, down)) * up
    first = -(half // up)
    last = ((up - 1) * down + half) // up
    # Output p of a step lies p down / up after the step's first input; input j after that one is j up ticks of the fine grid.
    place = half + torch.arange(up)[:, None] * down - torch.arange(first, last + 1)[None] * up
    inside = (place >= 0) & (place < len(taps))
    kernels = torch.where(inside, taps[place.clamp(0, len(taps) - 1)], 0.0)
    return kernels[:, None].to(dtype), -first


def lowpass(half: int, widest: int) -> Float[Tensor, " k"]:
    """Taps of a sinc of cutoff 1 / widest under Kaiser's window, 2 half + 1 of them, that sum to one."""
    n = torch.arange(-half, half + 1, dtype=torch.float64)
    window = torch.kaiser_window(2 * half + 1, periodic=False, beta=KAISER, dtype=torch.float64)
    taps = torch.sinc(n / widest) * window
    return taps / taps.sum()


class Resampler:
    """A stream at another rate: what is pushed comes out as `resampled` of all of it would, a filter's half later.

    >>> stream = Resampler(16000, 8000)
    >>> sum(len(stream.push(torch.zeros(100), last)) for last in (False, False, True))
    150
    """

    def __init__(self, old: int, new: int) -> None:
        ratio = Fraction(new, old).limit_denominator(FINEST)
        self.up, self.down = ratio.numerator, ratio.denominator
        self.kernels, before = phases(self.up, self.down, torch.float32)
        self.held = torch.zeros(before)
        self.came = self.gone = 0

    def push(self, wave: Float[Tensor, " n"], last: bool = False) -> Float[Tensor, " m"]:
        """What can be said for sure after these samples; all that is left, if they are the last."""
        if self.up == self.down:
            return wave
        self.came += len(wave)
        size, whole = self.kernels.shape[2], torch.cat([self.held, wave])
        left = -(-self.came * self.up // self.down) - self.gone
        if last:
            whole = pad(whole, (0, max(0, (-(-left // self.up) - 1) * self.down + size - len(whole))))
        rows = max(0, (len(whole) - size) // self.down + 1)
        if not rows:
            self.held = whole
            return wave[:0]
        spread = conv1d(whole[None, None, : (rows - 1) * self.down + size], self.kernels, stride=self.down)
        self.held = whole[rows * self.down :]
        out = spread[0].T.flatten()
        out = out[:left] if last else out
        self.gone += len(out)
        return out
