"""Another rate: scipy's polyphase filter to the last bit or so, and a stream as the whole would be."""

from __future__ import annotations

from math import gcd

import pytest
import torch

from heedful.data.audio.resample import Resampler, resampled

signal = pytest.importorskip("scipy.signal")

RATES = [(16000, 8000), (8000, 16000), (44100, 8000), (11025, 8000), (48000, 16000), (8000, 7200), (22050, 16000)]


@pytest.mark.parametrize(("old", "new"), RATES)
@pytest.mark.parametrize("length", [1, 2, 100, 1003])
def test_it_is_scipys_filter(old: int, new: int, length: int) -> None:
    x = torch.randn(2, length, dtype=torch.float64)
    divisor = gcd(old, new)
    theirs = torch.from_numpy(signal.resample_poly(x.numpy(), new // divisor, old // divisor, axis=1))
    ours = resampled(x, old, new)
    assert ours.shape == theirs.shape
    # a sum of some 20 products of about one, each off by a rounding
    assert float((ours - theirs).abs().max()) <= 64 * torch.finfo(torch.float64).eps * float(x.abs().max())


def test_the_same_rate_changes_nothing() -> None:
    x = torch.randn(1, 50)
    assert resampled(x, 8000, 8000) is x


def test_a_tone_keeps_its_pitch_and_one_that_is_too_high_is_gone() -> None:
    t = torch.arange(16000, dtype=torch.float64) / 16000
    low, high = (torch.sin(2 * torch.pi * hertz * t)[None] for hertz in (1000, 6000))
    kept, gone = resampled(low, 16000, 8000)[0, 100:-100], resampled(high, 16000, 8000)[0, 100:-100]
    wanted = torch.sin(2 * torch.pi * 1000 * torch.arange(8000, dtype=torch.float64) / 8000)[100:-100]
    assert float((kept - wanted).abs().max()) < 10 ** (-40 / 20)  # Kaiser's window of 5 lets through and in less than -50 dB
    assert float(gone.abs().max()) < 10 ** (-40 / 20)


def test_an_odd_rate_is_met_nearly() -> None:
    assert resampled(torch.zeros(1, 48001), 48001, 8000).shape[1] in (8000, 8001)


@pytest.mark.parametrize(("old", "new"), RATES[:5])
@pytest.mark.parametrize("chunk", [1, 37, 400])
def test_a_stream_is_the_whole(old: int, new: int, chunk: int) -> None:
    wave = torch.randn(1501 if chunk > 1 else 120)
    stream, parts = Resampler(old, new), list(wave.split(chunk))
    got = torch.cat([stream.push(part, i == len(parts) - 1) for i, part in enumerate(parts)])
    whole = resampled(wave[None], old, new)[0]
    assert got.shape == whole.shape
    # the same products, summed by kernels that may take them in another order
    assert torch.allclose(got, whole, atol=64 * torch.finfo(torch.float32).eps * float(wave.abs().max()))
