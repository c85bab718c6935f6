"""Rules that count from the first key, where rows of a batch begin with padding: they count from the first real key instead."""

from __future__ import annotations

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.algebra import And, Or
from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.sinks import Sinks


def leading(mask: Mask | None, k_len: int) -> Int[Tensor, " b"] | None:
    """How many keys of padding each row begins with, as a layer's mask says; None where no row does.

    >>> from heedful.masks import Causal
    >>> leading(Causal() & Padding(torch.tensor([5, 3]), side="left"), 5)
    tensor([0, 2])
    >>> leading(Causal() & Padding(torch.tensor([5, 3])), 5) is None
    True
    """
    parts = mask.parts if isinstance(mask, And) else () if mask is None else (mask,)
    for part in parts:
        before = None
        if isinstance(part, Padding) and part.side == "left":
            before = k_len - part.lengths
        elif isinstance(part, Dense) and part.table.shape[1] == 1:
            before = shut(part.table[:, 0], k_len)
        if before is not None and bool(before.any()):
            return before
    return None


def shut(table: Tensor, k_len: int) -> Int[Tensor, " b"] | None:
    """How many keys at the start of each row no query sees."""
    if table.shape[2] != k_len:
        return None
    seen = table.any(1)
    return torch.where(seen.any(1), seen.int().argmax(1), 0)


def anchored(mask: Mask, before: Int[Tensor, " b"], k_len: int) -> Mask:
    """The rule with sinks and blocks counted from there.

    >>> from heedful.masks import Window
    >>> anchored(Window(2) | Sinks(1), torch.tensor([0, 2]), 5)
    Window(size=2) | Prefix(n=<int64 (2,)>)
    """
    if isinstance(mask, Or):
        return Or(tuple(anchored(part, before, k_len) for part in mask.parts))
    if isinstance(mask, Sinks):
        return Prefix(before + mask.n)
    if isinstance(mask, Blocks):
        place = torch.arange(k_len, device=before.device) - before[:, None]
        return Documents(place.div(mask.size, rounding_mode="floor"))
    return mask
