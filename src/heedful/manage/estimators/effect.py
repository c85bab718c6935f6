"""Effect: MoA's first-order effect of taking single weights away (Fu et al. 2024, arXiv 2406.14909, section 4.1), by absolute value.

Taking weight a_tj away and sharing it out among the others changes the loss, to first order, by -E_tj with

    E_tj = a_tj (s_tj - sum_i a_ti s_ti) / (1 - a_tj),    s_tj = dL/da_tj = g_t . v_j,

where sum_i a_ti s_ti = g_t . o_t. An option is charged the sum of |E_tj| over the pairs it takes away. That needs single
weights, so it is computed for the sampled queries of a batch (`Given.sample`, runs of sixteen at equal distances), s rows
of k at a time and never q x k, and scaled up to all its places; a profile's `queries` says how many.
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.manage.trials import Given, Trial

NEAR_ONE = 1e-4  # beyond it a weight is all there is, and what would be shared out is rounding


def sums(trial: Trial) -> Float[Tensor, " h"]:
    """Sum over places and the keys taken away of |E_tj|."""
    given = trial.given
    rows = given.sample.queries - given.first
    share = max(int(given.real.sum()), 1) / max(int(given.real[:, rows].sum()), 1)
    return share * over(effects(given), trial.hidden)


def over(effects: Float[Tensor, "b h s k"], hidden: Bool[Tensor, "#b #h s k"]) -> Float[Tensor, " h"]:
    """The sums over what is hidden; as one product where that is the same for all heads."""
    if hidden.shape[1] > 1:
        return torch.where(hidden, effects, 0.0).sum((0, 2, 3))
    flat = rearrange(effects, "b h s k -> h (b s k)")
    return flat @ hidden.expand(len(effects), 1, -1, -1).flatten().to(flat.dtype)


def effects(given: Given) -> Float[Tensor, "b h s k"]:
    """|E_tj| of the sampled queries; found once a site and kept with the sample."""
    known = given.found.get("effects")
    if known is None:
        given.found["effects"] = known = effects_of(given)
    return known


def effects_of(given: Given) -> Float[Tensor, "b h s k"]:
    """|E_tj| by the formula above."""
    weights, rows = given.sample.weights, given.sample.queries - given.first
    g, out, v = (each.to(weights.dtype) for each in (given.g[:, :, rows], given.out[:, :, rows], given.seen.v))
    slopes = rearrange(rearrange(g, "b (g r) s v -> b g (r s) v", g=v.shape[1]) @ v.mT, "b g (r s) k -> b (g r) s k", s=len(rows))
    mean = (g * out).sum(-1, keepdim=True)
    return (weights * (slopes - mean) / (1.0 - weights).clamp(min=NEAR_ONE)).abs()
