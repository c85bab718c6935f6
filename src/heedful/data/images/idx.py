"""The IDX format of MNIST: a magic number, the sizes, and the bytes (LeCun et al. 1998)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from heedful.data.files import read_bytes
from heedful.data.images.pictures import Pictures
from heedful.errors import DataError

BYTES: Final = 0x08  # the only kind of numbers that pictures have here
PREFIXES: Final = {"train": "train", "test": "t10k"}


def array(path: Path) -> UInt8[Tensor, "..."]:
    """The array in an IDX file of unsigned bytes, .gz too.

    Raises `DataError`: not IDX, of other numbers, shorter or longer than its head says.
    """
    data = read_bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != BYTES or data[3] == 0:
        raise DataError(
            f"{path}: not IDX of bytes: its head is {data[:4].hex(' ') or 'empty'}, and 00 00 08 with the dimensions was expected"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise DataError(f"{path}: cut short: {len(data)} bytes, its head alone has {start}")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    wanted = int(np.prod(shape, dtype=np.int64))
    if len(data) - start != wanted:
        raise DataError(f"{path}: {len(data) - start:,} bytes after its head, and {' x '.join(map(str, shape))} are {wanted:,}")
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=start).reshape(shape).copy())


def pair(folder: Path, prefix: str, names: tuple[str, ...]) -> Pictures | None:
    """The pictures and classes of one part; None where the folder has no such files. `names` are the classes by number."""
    images, labels = (file(folder, f"{prefix}-{kind}") for kind in ("images", "labels"))
    if images is None or labels is None:
        return None
    pixels, numbers = array(images), array(labels)
    if pixels.dim() != 3 or numbers.dim() != 1 or len(pixels) != len(numbers):
        raise DataError(f"{images}: {tuple(pixels.shape)} pictures and {tuple(numbers.shape)} classes do not fit: (n, h, w) and (n,) would")
    named = tuple(names[i] if i < len(names) else str(i) for i in numbers.tolist())
    return Pictures(pixels[:, None], named)


def file(folder: Path, prefix: str) -> Path | None:
    """The file of that name with whatever ends it has."""
    return next(iter(sorted(folder.glob(f"{prefix}*ubyte*"))), None)


def idx_parts(folder: Path, names: tuple[str, ...] = ()) -> dict[str, Pictures]:
    """The training and test pictures of a folder in MNIST's layout; none where it is another."""
    found = {part: pair(folder, prefix, names) for part, prefix in PREFIXES.items()}
    return {part: pictures for part, pictures in found.items() if pictures is not None}
