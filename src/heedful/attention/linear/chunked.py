"""Causal linear attention chunk by chunk: quadratic within a chunk, a state between chunks, all in matrix products.

The chunkwise form of Hua et al. 2022, 2202.10447, and Yang et al. 2023, 2312.06635.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from heedful.attention.linear.state import State, divide, read, squared

SIZE = 128
ROWS = 1 << 13  # keys of all heads that are taken at once: what is made of them then stays in the cache and is fetched once


def chunked(
    q: Float[Tensor, "b h q f"], k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], causal: bool, state: State
) -> tuple[Float[Tensor, "b h q v"], State]:
    """Linear in the length, with a state for every chunk only; `causal` is always so here."""
    k, v, state = squared(k, v, q.shape[2], state)
    if q.shape[2] == 0:
        return divide(*read(q, state)), state
    if torch.compiler.is_compiling():
        return stretch(q, k, v, state)  # one graph for every length
    b, g, length, _ = k.shape
    heads = min(max(ROWS // (b * length), 1), g)
    groups = zip(*(torch.split(x, heads * x.shape[1] // g, dim=1) for x in (q, k, v, *state)), strict=True)
    outs, states = zip(*(strung(*group) for group in groups), strict=True)
    if len(outs) == 1:
        return outs[0], states[0]
    return torch.cat(outs, dim=1), State(*(torch.cat(parts, dim=1) for parts in zip(*states, strict=True)))


def strung(
    q: Float[Tensor, "b h t f"],
    k: Float[Tensor, "b g t f"],
    v: Float[Tensor, "b g t v"],
    s: Float[Tensor, "b g f v"],
    z: Float[Tensor, "b g f"],
) -> tuple[Float[Tensor, "b h t v"], State]:
    """Stretch by stretch; the places of one head stand side by side, and so are read without a copy."""
    state, outs = State(s, z), []
    size = max(ROWS // (k.shape[0] * k.shape[1] * SIZE), 1) * SIZE
    for part_q, part_k, part_v in zip(*(torch.split(x, size, dim=2) for x in (q, k, v)), strict=True):
        out, state = stretch(part_q, part_k, part_v, state)
        outs.append(out)
    return outs[0] if len(outs) == 1 else torch.cat(outs, dim=2), state


def stretch(
    q: Float[Tensor, "b h t f"], k: Float[Tensor, "b g t f"], v: Float[Tensor, "b g t v"], before: State
) -> tuple[Float[Tensor, "b h t v"], State]:
    """Some chunks at once: each query reads the state before its chunk, and the keys of its chunk up to its own."""
    length = q.shape[2]
    size = min(SIZE, length)
    if length % size:
        q, k, v = (F.pad(x, (0, 0, 0, -length % size)) for x in (q, k, v))
    q = rearrange(q, "b (g r) (n c) f -> b g n (r c) f", g=k.shape[1], c=size)
    k, v = (rearrange(x, "b g (n c) f -> b g n c f", c=size) for x in (k, v))
    s, last_s = running(before.s, k.transpose(-1, -2) @ v)
    z, last_z = running(before.z, k.sum(dim=3))
    products = (q @ k.transpose(-1, -2)).masked_fill_(later(q.shape[3] // size, size, q.device), 0.0)
    values = (products @ v).add_(q @ s)
    weights = products.sum(dim=-1).add_((q @ z[..., None])[..., 0])
    out = rearrange(divide(values, weights), "b g n (r c) v -> b (g r) (n c) v", c=size)
    return out[:, :, :length], State(last_s, last_z)


def running(
    start: Float[Tensor, "b g ..."], each: Float[Tensor, "b g n ..."]
) -> tuple[Float[Tensor, "b g n ..."], Float[Tensor, "b g ..."]]:
    """The sums before each chunk, and after the last."""
    sums = torch.cat([start[:, :, None], each[:, :, :-1]], dim=2).cumsum(dim=2)
    return sums, sums[:, :, -1] + each[:, :, -1]


def later(heads: int, size: int, device: torch.device) -> Bool[Tensor, "rc c"]:
    """Which keys of a chunk come after a query of it, for all the heads that share the keys."""
    return torch.ones(size, size, dtype=torch.bool, device=device).triu(1).repeat(heads, 1)
