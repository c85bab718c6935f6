"""Weights on their way to the page: as few bytes as what is seen needs, sinks on a scale of their own."""

from __future__ import annotations

import math
import struct
from typing import Final

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from heedful.errors import UsageError
from heedful.web.reading import Map, looks_back, sinks_of

SIDE: Final = 40  # cells a side of a small picture
FULL: Final = {1: 255, 2: 65_535}  # what a full shade is, by the bytes of a cell


def parcel(weights: Float[Tensor, "q k"], side: int | None = None, size: int = 2) -> bytes:
    """One head: every weight, or with `side` the largest of each block, so that there are at most so many rows and columns.

    Little endian, uint32: queries, keys, the block's side, bytes of a cell, number of sinks; float32: the largest weight outside the
    sinks and within them; uint32: the sinks' places; then the cells row after row, each as a share of its own largest.

    >>> len(parcel(torch.eye(4))), struct.unpack("<5I2f", parcel(torch.eye(4))[:28])
    (60, (4, 4, 1, 2, 0, 1.0, 0.0))
    """
    sinks = sinks_of(weights, looks_back(weights))
    scale, top, sink_top = scales(weights, sinks)
    step = 1 if side is None else max(1, math.ceil(max(weights.shape) / side))
    levels = (shrunk(weights / scale, step) * FULL[size]).round().clamp(0, FULL[size])
    cells = levels.to(torch.int32).numpy().astype("<u1" if size == 1 else "<u2").tobytes()
    return struct.pack(f"<5I2f{len(sinks)}I", *weights.shape, step, size, len(sinks), top, sink_top, *sinks) + cells


def small(layer: Map, side: int = SIDE) -> bytes:
    """Every head of a layer as a small picture: rows and columns (uint32), then a byte a cell, head after head."""
    step = max(1, math.ceil(max(layer.weights.shape[1:]) / side))
    scaled = (weights.float() / scales(weights.float(), sinks_of(weights.float(), looks_back(weights)))[0] for weights in layer.weights)
    cells = torch.stack([shrunk(weights, step) for weights in scaled])
    return struct.pack("<2I", *cells.shape[1:]) + (cells * 255).round().clamp(0, 255).to(torch.uint8).numpy().tobytes()


def scales(weights: Float[Tensor, "q k"], sinks: list[int]) -> tuple[Float[Tensor, " k"], float, float]:
    """What a full shade stands for in each column, and the largest weights outside the sinks and within them."""
    inside = torch.zeros(weights.shape[1], dtype=torch.bool)
    inside[sinks] = True
    most = weights.amax(0)
    top = float(most[~inside].amax()) if bool((~inside).any()) else 0.0
    sink_top = float(most[inside].amax()) if sinks else 0.0
    scale = torch.where(inside, torch.tensor(sink_top), torch.tensor(top)).clamp(min=torch.finfo(torch.float32).tiny)
    return scale, top, sink_top


def shrunk(weights: Float[Tensor, "q k"], step: int) -> Float[Tensor, "r c"]:
    """The largest of each block of `step` rows and columns."""
    if step == 1:
        return weights
    tall, wide = (-size % step for size in weights.shape)
    return reduce(pad(weights, (0, wide, 0, tall)), "(r s) (c t) -> r c", "max", s=step, t=step)


def numbers(layer: int | None, head: int | None) -> str:
    """A head as the page names it, counted from 1; "mean" over what is left open.

    >>> numbers(0, 3), numbers(None, None)
    ('1.4', 'mean')
    """
    return "mean" if layer is None else f"{layer + 1}.{'mean' if head is None else head + 1}"


def place(name: str) -> tuple[int | None, int | None]:
    """The layer and head that `numbers` names.

    >>> place("1.4"), place("2.mean"), place("mean")
    ((0, 3), (1, None), (None, None))

    Errors: `UsageError` for anything else.
    """
    if name == "mean":
        return None, None
    layer, _, head = name.partition(".")
    if not (layer.isascii() and layer.isdigit()) or not (head == "mean" or (head.isascii() and head.isdigit())) or len(name) > 12:
        raise UsageError(f"{name!r} names no head: LAYER.HEAD counted from 1, LAYER.mean or mean would work")
    return int(layer) - 1, None if head == "mean" else int(head) - 1
