"""Causal linear attention chunk by chunk: quadratic within a chunk, a state between chunks, all in matrix products.

The chunkwise form of Hua et al. 2022, 2202.10447, and Yang et al. 2023, 2312.06635.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from heedful.attention.linear.state import State, divide, squared

SIZE = 64


def chunked(
    q: Float[Tensor, "b h q f"], k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], causal: bool, state: State
) -> tuple[Float[Tensor, "b h q v"], State]:
    """Linear in the length, with a state for every chunk only; `causal` is always so here."""
    length = q.shape[2]
    k, v, before = squared(k, v, length, state)
    size = max(min(SIZE, length), 1)
    q, k, v = (F.pad(x, (0, 0, 0, -length % size)) for x in (q, k, v))
    q = rearrange(q, "b (g r) (n c) f -> b g n (r c) f", g=k.shape[1], c=size)
    k, v = (rearrange(x, "b g (n c) f -> b g n c f", c=size) for x in (k, v))
    s, z = _running(before.s, k.transpose(-1, -2) @ v), _running(before.z, k.sum(dim=3))
    products = (q @ k.transpose(-1, -2)).masked_fill(_later(q.shape[3] // size, size, q.device), 0.0)
    values = products @ v + q @ s[:, :, :-1]
    weights = products.sum(dim=-1) + (q @ z[:, :, :-1, :, None])[..., 0]
    out = rearrange(divide(values, weights), "b g n (r c) v -> b (g r) (n c) v", c=size)
    return out[:, :, :length], State(s[:, :, -1], z[:, :, -1])


def _running(start: Float[Tensor, "b g ..."], each: Float[Tensor, "b g n ..."]) -> Float[Tensor, "b g n1 ..."]:
    """The sums before each chunk, and after the last."""
    return torch.cat([start[:, :, None], each], dim=2).cumsum(dim=2)


def _later(heads: int, size: int, device: torch.device) -> Bool[Tensor, "rc c"]:
    """Which keys of a chunk come after a query of it, for all the heads that share the keys."""
    return torch.ones(size, size, dtype=torch.bool, device=device).triu(1).repeat(heads, 1)
