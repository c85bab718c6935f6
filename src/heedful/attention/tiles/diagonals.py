"""Numbers by distance j - i: spread over a tile, and a tile summed back along its diagonals."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.tiles.scratch import SCRATCH
from heedful.attention.tiles.slabs import Rectangle, Slab


def places(slab: Slab, rectangle: Rectangle, q_len: int, device: torch.device) -> Int[Tensor, "n m"]:
    """Where pair (i, j) finds its number: j - i + q_len - 1."""
    q = torch.arange(slab.start, slab.stop, device=device)
    k = torch.arange(rectangle.start, rectangle.stop, device=device) if rectangle.index is None else rectangle.index
    return k[None, :] - q[:, None] + (q_len - 1)


def spread(relative: Float[Tensor, "h d"], slab: Slab, rectangle: Rectangle, q_len: int) -> Float[Tensor, "h n m"]:
    """The number of each pair of a tile."""
    if rectangle.index is not None:
        return relative[:, places(slab, rectangle, q_len, relative.device)]
    rows = slab.stop - slab.start
    first = rectangle.start - (slab.stop - 1) + q_len - 1  # of the last row, whose numbers come first
    windows = relative[:, first : first + rows - 1 + rectangle.width].unfold(1, rectangle.width, 1)
    return windows.flip(1)


def gathered(into: Float[Tensor, "h d"], tile: Float[Tensor, "b h n m"], slab: Slab, rectangle: Rectangle, q_len: int) -> None:
    """Adds to `into`, by distance, the sum of a tile along its diagonals."""
    rows, width = tile.shape[2:]
    if rectangle.index is not None:
        by_head = tile.sum(0)
        at = places(slab, rectangle, q_len, tile.device).flatten()
        into.index_add_(1, at, by_head.flatten(1))
        return
    length = rows + width - 1
    skewed = SCRATCH.take("skewed", (tile.shape[1], rows, length), tile).zero_()
    # Row r moved right by rows - 1 - r: what stood on a diagonal stands in a column.
    home = skewed.as_strided((tile.shape[1], rows, width), (rows * length, length - 1, 1), skewed.storage_offset() + rows - 1)
    torch.sum(tile, 0, out=home) if tile.shape[0] > 1 else home.copy_(tile[0])
    first = rectangle.start - (slab.stop - 1) + q_len - 1
    into[:, first : first + length].add_(skewed.sum(1))
