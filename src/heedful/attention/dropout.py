"""Dropout that can be drawn again: each entry is a hash of the seed and of its place, so any part of it can be recomputed alone.

The mixing constants are those of Chris Wellons' `lowbias32` (2018).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

WORD = 0xFFFFFFFF


def mix(x: Tensor) -> Tensor:
    """A bijection of 32-bit words, held in int64, after which neighbours have nothing in common."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & WORD
    x = ((x ^ (x >> 15)) * 0x846CA68B) & WORD
    return x ^ (x >> 16)


def uniform(seed: int, *places: Tensor) -> Float[Tensor, "..."]:
    """Numbers in [0, 1) for broadcasting integer `places`, the same whatever else is drawn with them."""
    word = torch.full((1,), seed & WORD, dtype=torch.int64, device=places[0].device)
    for place in places:
        word = mix((word * 0x9E3779B1 + place + 0x85EBCA77) & WORD)
    return (word >> 8).float() * 2.0**-24


def dropped(weights: Float[Tensor, "b h q k"], rate: float, seed: int | None) -> Float[Tensor, "b h q k"]:
    """Weights with a share `rate` of them zeroed and the rest grown by 1 / (1 - rate); without a seed, torch's own draw."""
    if seed is None:
        return torch.nn.functional.dropout(weights, rate)
    b, h, q, k = (torch.arange(n, device=weights.device) for n in weights.shape)
    keep = uniform(seed, b[:, None, None, None], h[:, None, None], q[:, None], k) >= rate
    return weights * keep / (1.0 - rate) if rate < 1.0 else weights * 0.0
