"""Dropout of a tile: the entries that `attention/dropout.py` would draw for the whole matrix, without the rest of it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.dropout import uniform
from heedful.attention.tiles.slabs import Rectangle, Slab
from heedful.attention.tiles.work import Work


def kept(
    work: Work, first: tuple[int, int], sizes: tuple[int, int], slab: Slab, rectangle: Rectangle, like: Tensor
) -> Float[Tensor, "b h n m"]:
    """0 or 1 / (1 - rate) for `sizes` sequences and heads from `first` on, in the type of `like`."""
    b, h = (torch.arange(at, at + size, device=like.device) for at, size in zip(first, sizes, strict=True))
    q = torch.arange(slab.start, slab.stop, device=like.device)
    k = torch.arange(rectangle.start, rectangle.stop, device=like.device) if rectangle.index is None else rectangle.index
    keep = uniform(work.seed, b[:, None, None, None], h[:, None, None], q[:, None], k) >= work.dropout
    return keep.to(like.dtype).mul_(1.0 / (1.0 - work.dropout) if work.dropout < 1.0 else 0.0)
