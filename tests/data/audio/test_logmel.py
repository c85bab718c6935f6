"""Frames: Kaldi's, in batches, whatever is behind a wave's end."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.data.audio.logmel import FLOOR, frames_of, log_mel, mels, transform, triangles
from heedful.spec.audio import FrameSpec
from heedful.spec.check import SpecError


@pytest.mark.parametrize("spec", [FrameSpec(), FrameSpec(rate=16000, bands=80), FrameSpec(window=32.0, step=8.0, low=100.0, high=3000.0)])
def test_it_is_kaldis(spec: FrameSpec) -> None:
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.dither, frame.preemph_coeff, frame.remove_dc_offset = spec.rate, 0.0, 0.0, False
    frame.window_type, frame.snip_edges, frame.frame_length_ms, frame.frame_shift_ms = "hanning", True, spec.window, spec.step
    mel.num_bins, mel.low_freq, mel.high_freq = spec.bands, spec.low, spec.top
    options.use_energy, options.use_log_fbank = False, False
    wave = 0.1 * torch.randn(spec.rate // 2)
    theirs = knf.OnlineFbank(options)
    theirs.accept_waveform(spec.rate, wave.tolist())
    theirs.input_finished()
    power = torch.stack([torch.from_numpy(theirs.get_frame(i).copy()) for i in range(theirs.num_frames_ready)])
    ours = log_mel(wave[None].double(), spec)[0]
    assert ours.shape == power.shape
    assert bool(((ours.exp() - power).abs() <= rounding(wave, spec)).all())


def rounding(wave: torch.Tensor, spec: FrameSpec) -> torch.Tensor:
    """How far float32 may be off in each band (t, bands): its transform by eps log2(n) of the whole spectrum in every bin (Higham 2002,
    theorem 24.2), so that a soft bin beside loud ones suffers most; its triangles by the rounding of two pitches over their width.
    """
    eps, (window, step), size = torch.finfo(torch.float32).eps, spec.samples, transform(spec.samples[0])
    frames = wave.double().unfold(0, window, step) * torch.hann_window(window, periodic=False, dtype=torch.float64)
    spectrum = torch.fft.rfft(frames, n=size).abs()
    off = eps * math.log2(size) * spectrum.norm(dim=1, keepdim=True) * 2**0.5
    top = float(mels(torch.tensor(spec.top)))
    tilt = 4 * eps * top * (spec.bands + 1) / (top - float(mels(torch.tensor(spec.low))))
    weights = triangles(spec, size)
    near = torch.nn.functional.max_pool1d(weights[:, None], 3, 1, 1)[:, 0] > 0
    return (2 * spectrum * off + off.square()) @ weights.T + spectrum.square() @ ((tilt + size * eps) * near.double()).T


def test_padding_and_neighbours_change_nothing() -> None:
    spec = FrameSpec()
    long, short = torch.randn(4000), torch.randn(1234)
    both = torch.zeros(2, 4000)
    both[0], both[1, :1234] = long, short
    count = int(frames_of(torch.tensor([1234]), spec))
    torch.testing.assert_close(log_mel(both, spec)[1, :count], log_mel(short[None], spec)[0])


@pytest.mark.parametrize("samples", [1, 199, 200, 279, 280, 8000])
def test_frames_are_counted_as_they_come(samples: int) -> None:
    spec = FrameSpec()
    assert log_mel(torch.zeros(1, samples), spec).shape[1] == int(frames_of(torch.tensor([samples]), spec))


def test_silence_is_the_floor() -> None:
    frames = log_mel(torch.zeros(1, 800), FrameSpec())
    assert bool((frames == torch.tensor(FLOOR).log()).all())


def test_every_band_hears_something() -> None:
    assert bool((triangles(FrameSpec(), 256).sum(1) > 0).all())


def test_bands_above_half_the_rate_are_refused() -> None:
    with pytest.raises(SpecError, match="half the rate"):
        FrameSpec(rate=8000, high=5000.0)
