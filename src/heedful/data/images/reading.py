"""Many picture files as one tensor: of the size that was asked for, or that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch

from heedful.data.images.decode import decoded, sides
from heedful.data.images.pictures import Pictures, channelled
from heedful.errors import DataError

SIDE: Final = 32  # pixels, where pictures differ in size and none is asked for
LARGEST: Final = 96  # a side up to which pictures that are all alike keep theirs


class File(NamedTuple):
    """A picture's file (or its bytes), its name, and its class."""

    source: Path | bytes
    name: str
    label: str


def read(files: Sequence[File], size: int, channels: int) -> Pictures:
    """All of them in order; `size` and `channels` 0 are theirs.

    Raises `DataError` that names the first file that cannot be read.
    """
    if not files:
        raise DataError("there are no pictures to read")
    side = size or common(files)
    found = [decoded(file.source, file.name, side) for file in files]
    depth = channels or max(len(pixels) for pixels in found)
    pixels = torch.stack([channelled(each[None], depth)[0] for each in found])
    return Pictures(pixels, tuple(file.label for file in files), tuple(file.name for file in files))


def common(files: Sequence[File]) -> int:
    """The side of pictures that are all square and alike, or 32."""
    first = sides(files[0].source, files[0].name)
    if first[0] != first[1] or first[0] > LARGEST:
        return SIDE
    return first[0] if all(sides(file.source, file.name) == first for file in files[1:]) else SIDE
