"""What is varied, and how far."""

from __future__ import annotations

import pytest
import torch

from heedful.data.audio.vary import at_speed, coloured, masked, noisy, roomier, varied, warped
from heedful.spec.audio import FrameSpec, VarySpec


def test_nothing_is_changed_unless_it_is_asked_for() -> None:
    waves, lengths = torch.randn(2, 500), torch.tensor([500, 300])
    same, long = varied(waves, lengths, VarySpec(), 8000)
    assert same is waves
    assert long is lengths
    frames = torch.randn(2, 10, 40)
    assert masked(frames, torch.tensor([10, 7]), VarySpec(), FrameSpec()) is frames


@pytest.mark.parametrize("ratio", [20.0, 10.0, 5.0, 0.0])
def test_noise_is_as_loud_as_was_asked(ratio: float) -> None:
    waves = torch.randn(3, 4000) * torch.tensor([[1.0], [0.1], [0.01]])
    lengths = torch.tensor([4000, 2000, 1000])
    waves = waves * (torch.arange(4000) < lengths[:, None])
    both = noisy(waves, lengths, torch.full((3, 1), ratio), torch.tensor([[0.0], [1.0], [2.0]]))
    for i, length in enumerate(lengths.tolist()):
        voice, noise = waves[i, :length].double(), (both - waves)[i, :length].double()
        found = 10 * torch.log10(voice.square().mean() / noise.square().mean())
        assert abs(float(found) - ratio) < 1e-3  # scaled to it exactly, but for float32
        assert not bool((both - waves)[i, length:].any())


def test_noise_falls_with_the_frequency() -> None:
    power = torch.fft.rfft(coloured(torch.randn(200, 1024), torch.full((200, 1), 2.0))).abs().square().mean(0)
    fall = power[40:80].mean() / power[160:320].mean()
    assert abs(float(fall.log2()) - 4.0) < 0.2  # two octaves on, f^-2: 16 times less; some 3% of standard error


@pytest.mark.parametrize("longer", [0.8, 1.0, 1.25])
def test_speed_changes_length_and_pitch_together(longer: float) -> None:
    t = torch.arange(8000) / 8000
    waves = torch.sin(2 * torch.pi * 500 * t)[None]
    played, lengths = at_speed(waves, torch.tensor([8000]), longer)
    assert int(lengths) == played.shape[1] == round(8000 * longer)
    heard = float(torch.fft.rfft(played[0]).abs().argmax()) * 8000 / played.shape[1]
    assert abs(heard - 500 / longer) < 2


def test_room_is_silence_around_the_same_wave() -> None:
    waves, lengths = torch.ones(4, 100), torch.tensor([100, 50, 10, 100])
    waves = waves * (torch.arange(100) < lengths[:, None])
    roomy, long = roomier(waves, lengths, 80)
    assert torch.equal(roomy.sum(1), lengths.float())
    assert bool((long <= lengths + 160).all())


def test_masks_blank_a_part_and_never_most_of_a_short_recording() -> None:
    spec = VarySpec(time_masks=1, time_width=1000.0, band_masks=1, band_width=8)
    frames, lengths = torch.randn(64, 30, 40), torch.full((64,), 30)
    changed = masked(frames, lengths, spec, FrameSpec()) != frames
    bands = changed.all(1).sum(1)
    times = changed.all(2).sum(1)
    assert int(bands.max()) <= 8
    assert 0 < int(times.max()) <= 10  # a third of 30


def test_a_throat_moves_the_bands() -> None:
    frames = torch.zeros(2, 1, 40)
    frames[:, 0, 20] = 1.0
    moved = warped(frames, torch.tensor([[1.0], [1.1]]))
    assert torch.equal(moved[0], frames[0])
    assert int(moved[1, 0].argmax()) == 22
