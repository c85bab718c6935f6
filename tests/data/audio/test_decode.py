"""Sound files of every kind: rates, channels, depths, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from heedful.data.audio.decode import decoded, packed, unpacked
from heedful.errors import DataError

soundfile = pytest.importorskip("soundfile")

SECONDS = np.arange(4410) / 44100
TONE = 0.5 * np.sin(2 * np.pi * 440 * SECONDS)


def peak(wave: torch.Tensor, rate: int) -> float:
    """The loudest frequency in Hz."""
    return float(torch.fft.rfft(wave).abs().argmax()) * rate / len(wave)


@pytest.mark.parametrize("form", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_tone_is_the_tone_whatever_the_file(tmp_path: Path, form: str, rate: int) -> None:
    path = tmp_path / f"tone.{form}"
    stereo = np.stack([TONE, TONE], axis=1)
    soundfile.write(path, stereo, 44100)
    wave = decoded(path, path.name, rate)
    assert abs(len(wave) - rate / 10) <= 1
    assert abs(peak(wave, rate) - 440) <= rate / len(wave)  # a line of the spectrum
    assert 0.4 < float(wave.abs().max()) < 0.6


def test_channels_are_their_mean(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "two.wav", np.stack([np.full(800, 0.5), np.full(800, -0.25)], axis=1), 8000, subtype="FLOAT")
    assert torch.allclose(decoded(tmp_path / "two.wav", "two", 8000), torch.tensor(0.125))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT", "ULAW"])
def test_depths_are_read(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 44100, subtype=subtype)
    assert 0.45 < float(decoded(tmp_path / "a.wav", "a", 44100).abs().max()) < 0.55


def test_bytes_are_read_as_files_are(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", TONE, 44100)
    path = tmp_path / "a.wav"
    assert torch.equal(decoded(path.read_bytes(), "a", 8000), decoded(path, "a", 8000))


def test_what_is_too_loud_is_clipped_and_sixteen_bits_come_back() -> None:
    assert unpacked(packed(torch.tensor([2.0, -3.0, 0.0]))).tolist() == [1.0, -1.0, 0.0]
    every = torch.arange(-32767, 32768, dtype=torch.int32).to(torch.int16)
    assert torch.equal(packed(unpacked(every)), every)


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    (tmp_path / "words.wav").write_text("no sound")
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.0, np.nan]), 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 1000), 1000)
    whole = tmp_path / "whole.flac"
    soundfile.write(whole, TONE, 44100)
    for name, said in [
        ("words.wav", "no sound file"),
        ("none.wav", "no samples"),
        ("nan.wav", "not numbers"),
        ("long.wav", "61 s, and at most 60"),
        ("gone.wav", "no such file"),
    ]:
        with pytest.raises(DataError, match=said) as caught:
            decoded(tmp_path / name, name, 8000)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="a folder"):
        decoded(tmp_path, "here", 8000)
