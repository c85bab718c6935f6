"""All that linear attention remembers of the keys it has seen: two sums, however many they were."""

from __future__ import annotations

from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor


class State(NamedTuple):
    """s = Σ φ(k) vᵀ (b, g, f, v) and z = Σ φ(k) (b, g, f) over the keys seen, in at least float32."""

    s: Float[Tensor, "b g f v"]
    z: Float[Tensor, "b g f"]


def empty(k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"]) -> State:
    """The state before the first key; the arguments only say its sizes."""
    b, g, _, f = k.shape
    return State(k.new_zeros(b, g, f, v.shape[-1]), k.new_zeros(b, g, f))


def absorb(k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], state: State) -> State:
    """The state after these keys and values too."""
    return State(state.s + k.transpose(-1, -2) @ v, state.z + k.sum(dim=2))


def read(q: Float[Tensor, "b h q f"], state: State) -> tuple[Float[Tensor, "b h q v"], Float[Tensor, "b h q"]]:
    """φ(q)ᵀ s and φ(q) · z: the sum of the values by their weights, and the sum of the weights."""
    heads = q.shape[1] // state.z.shape[1]
    grouped = rearrange(q, "b (g r) q f -> b g (r q) f", r=heads)
    values, weights = grouped @ state.s, grouped @ state.z[..., None]
    return rearrange(values, "b g (r q) v -> b (g r) q v", r=heads), rearrange(weights, "b g (r q) 1 -> b (g r) q", r=heads)


def divide(values: Float[Tensor, "*rows v"], weights: Float[Tensor, "*rows"]) -> Float[Tensor, "*rows v"]:
    """The mean of the values; zeros, and zero gradients, where there was no weight at all."""
    nothing = (weights == 0.0)[..., None]
    return (values / weights[..., None].masked_fill(nothing, 1.0)).masked_fill(nothing, 0.0)


def squared(k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], queries: int, state: State) -> tuple[Tensor, Tensor, State]:
    """As many keys as queries, aligned at the end: keys before the first query go into the state, missing ones count nothing."""
    early = k.shape[2] - queries
    if early > 0:
        return k[:, :, early:], v[:, :, early:], absorb(k[:, :, :early], v[:, :, :early], state)
    return _led_by_zeros(k, -early), _led_by_zeros(v, -early), state


def _led_by_zeros(x: Float[Tensor, "b g k f"], count: int) -> Float[Tensor, "b g t f"]:
    b, g, _, f = x.shape
    return torch.cat([x.new_zeros(b, g, count, f), x], dim=2) if count else x
