"""How a number becomes a shade: levels of one byte, two palettes safe for colour-blind eyes, and the picture they make.

Both palettes fade to transparent at zero, so that a map reads on a light page and, inverted, on a dark one.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final, Literal, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from heedful.errors import ShapeError

Scale = Literal["weights", "signed"]
PALE: Final = (74, 156, 222)
DEEP: Final = (8, 40, 98)
ORANGE: Final = (190, 84, 0)
BLUE: Final = (16, 92, 170)
BEND: Final = 0.6  # shades rise faster than weights, so that small weights can be told from none
COARSE: Final = 4  # levels to a colour of the picture
ZERO: Final = 128  # the level of a signed nought


class Levels(NamedTuple):
    """A matrix in bytes: level 255 (signed: 1 and 255) stands for ±`top`."""

    bytes: UInt8[Tensor, "q k"]
    top: float
    scale: Scale

    def text(self) -> str:
        """The bytes in base64, row after row."""
        return base64.b64encode(self.bytes.numpy().tobytes()).decode("ascii")


def levels(matrix: Float[Tensor, "q k"], scale: Scale = "weights", top: float | None = None) -> Levels:
    """Quantise a matrix to bytes; `top` is the value of the fullest shade, the largest entry by default.

    >>> import torch
    >>> levels(torch.tensor([[0.0, 0.25], [0.5, 0.5]])).bytes.tolist()
    [[0, 128], [255, 255]]
    """
    if matrix.ndim != 2 or matrix.numel() == 0:
        raise ShapeError(f"a map is drawn from a matrix (q, k): found {tuple(matrix.shape)}")
    values = torch.nan_to_num(matrix.detach().double().cpu(), nan=0.0, posinf=0.0, neginf=0.0)
    top = top if top is not None else float(values.abs().max())
    unit = values / top if top > 0 else torch.zeros_like(values)
    spread = unit.clamp(0, 1) * 255 if scale == "weights" else unit.clamp(-1, 1) * (255 - ZERO) + ZERO
    return Levels(spread.round().to(torch.uint8), top, scale)


def colour(level: int, scale: Scale) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity of a level."""
    if scale == "weights":
        share = (level / 255) ** BEND
        return (*_mix(PALE, DEEP, share), round(255 * share))
    return (*(BLUE if level >= ZERO else ORANGE), min(255, 2 * abs(level - ZERO)))


def ramp(scale: Scale) -> str:
    """The palette from its lowest level to its highest, as a CSS gradient."""
    stops = (f"rgba({r},{g},{b},{a / 255:.2f})" for r, g, b, a in (colour(min(255, stop * 16), scale) for stop in range(17)))
    return f"linear-gradient(90deg,{','.join(stops)})"


def picture(of: Levels) -> str:
    """The matrix as a PNG of 64 colours, one pixel a cell, in a data address."""
    rows, columns = of.bytes.shape
    lines = b"".join(b"\0" + bytes(row.numpy().tobytes()) for row in of.bytes // COARSE)
    colours = [colour(round(255 * i / (256 // COARSE - 1)), of.scale) for i in range(256 // COARSE)]
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", bytes(part for colour in colours for part in colour[:3])),
        (b"tRNS", bytes(colour[3] for colour in colours)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _mix(low: tuple[int, int, int], high: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(low, high, strict=True))
    return red, green, blue


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
