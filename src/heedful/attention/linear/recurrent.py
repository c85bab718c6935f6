"""Causal linear attention as a recurrent network: one key in, one query out (Katharopoulos et al. 2020, 2006.16236, eq. 16-20)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.state import State, absorb, divide, read, squared


def recurrent(
    q: Float[Tensor, "b h q f"], k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], causal: bool, state: State
) -> tuple[Float[Tensor, "b h q v"], State]:
    """Step by step, holding one state; `causal` is always so here."""
    k, v, state = squared(k, v, q.shape[2], state)
    outs = []
    for t in range(q.shape[2]):
        state = absorb(k[:, :, t : t + 1], v[:, :, t : t + 1], state)
        outs.append(divide(*read(q[:, :, t : t + 1], state)))
    return torch.cat(outs, dim=2) if outs else divide(*read(q, state)), state
