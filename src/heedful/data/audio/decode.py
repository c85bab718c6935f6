"""One sound file as a wave of one rate: wav, flac, ogg and whatever else libsndfile reads, any rate, any number of channels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor

from heedful.data.audio.resample import resampled
from heedful.errors import DataError, MissingExtra

FORMS: Final = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au")
LONGEST: Final = 60.0  # seconds
FULL: Final = 32767.0  # what 16 bits hold


def decoded(source: Path | bytes, name: str, rate: int) -> Float[Tensor, " n"]:
    """The wave in a file (or in its bytes), from -1 to 1: the mean of its channels, at `rate` samples a second.

    Raises `DataError`: missing, not a sound file, cut short, without a sample, with samples that are no numbers, longer than a minute.
    """
    try:
        import soundfile
    except ImportError:
        raise MissingExtra("soundfile", "speech", "reading recordings") from None
    if isinstance(source, Path):
        readable(source, name)
    try:
        with soundfile.SoundFile(io.BytesIO(source) if isinstance(source, bytes) else str(source)) as file:
            if file.frames > LONGEST * file.samplerate:
                seconds = file.frames / file.samplerate
                raise DataError(f"{name}: {seconds:,.0f} s, and at most {LONGEST:g} are heard at once: cut it, or send it as a stream (-)")
            samples, found = file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).split()).removesuffix(".").rpartition(": ")[2]
        raise DataError(f"{name}: no sound file that can be read ({said}): {', '.join(FORMS)} would work") from None
    if not len(samples):
        raise DataError(f"{name}: no samples in it: a recording of a tenth of a second or more would work")
    if not np.isfinite(samples).all():
        raise DataError(f"{name}: samples that are not numbers (NaN or infinite)")
    return resampled(torch.from_numpy(samples.mean(axis=1))[None], found, rate)[0]


def readable(path: Path, name: str) -> None:
    """Refuse what is no file."""
    if path.is_dir():
        raise DataError(f"{name}: a folder, and one recording was asked for")
    if not path.is_file():
        raise DataError(f"{name}: no such file: a recording ({', '.join(FORMS)}) would work")


def packed(wave: Float[Tensor, " n"]) -> Int16[Tensor, " n"]:
    """The wave in 16 bits; what is louder than full is clipped."""
    return (wave.clamp(-1.0, 1.0) * FULL).round().to(torch.int16)


def unpacked(samples: Int16[Tensor, "..."]) -> Float[Tensor, "..."]:
    """16 bits as numbers from -1 to 1.

    >>> unpacked(torch.tensor([32767], dtype=torch.int16)).tolist()
    [1.0]
    """
    return samples.to(torch.float32) / FULL
