"""The work as it is written, with the whole matrix: to be read beside the engines, and differentiated more than once."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.masks.spans import BLOCK
from heedful.attention.masks.words import unpacked
from heedful.attention.schedule.schedule import Schedule
from heedful.attention.scores.score import dot
from heedful.attention.tiles.diagonals import places
from heedful.attention.tiles.dropped import kept
from heedful.attention.tiles.slabs import Rectangle, Slab
from heedful.attention.tiles.work import Work


def naive(work: Work) -> tuple[Float[Tensor, "b h q v"], Float[Tensor, "b h q"]]:
    """The output and the log-sum-exp."""
    weights, lse = weighed(work)
    return mixed(work, weights), lse


def mixed(work: Work, weights: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q v"]:
    """The values so weighted, after dropout."""
    if work.dropout:
        b, h, q_len, k_len = work.sizes
        weights = weights * kept(work, (0, 0), (b, h), Slab(0, q_len, ()), Rectangle(0, k_len), weights)
    grouped = rearrange(weights, "b (g r) q k -> b g (r q) k", g=work.k.shape[1])
    out = rearrange(grouped @ work.v.to(weights.dtype), "b g (r q) v -> b (g r) q v", q=work.q.shape[2])
    return out.to(work.q.dtype)


def weighed(work: Work) -> tuple[Float[Tensor, "b h q k"], Float[Tensor, "b h q"]]:
    """The weights before dropout, and the log-sum-exp."""
    scores = scored(work, torch.promote_types(work.q.dtype, torch.float32))
    shut = scores == float("-inf")
    empty = shut.all(-1, keepdim=True)
    lse = torch.logsumexp(scores.masked_fill(empty, 0.0), -1, keepdim=True)
    if work.sink_logits is not None:
        lse = torch.logaddexp(lse, work.sink_logits.to(scores.dtype)[:, None, None])
    return (scores - lse).exp().masked_fill(shut, 0.0), lse.masked_fill(empty, float("-inf")).squeeze(-1)


def scored(work: Work, wide: torch.dtype) -> Float[Tensor, "b h q k"]:
    """What the softmax is taken of."""
    _, _, q_len, k_len = work.sizes
    factor = work.factor.to(wide)[:, None, None] if isinstance(work.factor, Tensor) else work.factor
    scores = dot(work.q.to(wide), work.k.to(wide)) * factor
    if work.softcap is not None:
        scores = work.softcap * torch.tanh(scores / work.softcap)
    if work.bias is not None:
        scores = scores + work.bias.to(wide)
    if work.relative is not None:
        scores = scores + work.relative.to(wide)[:, places(Slab(0, q_len, ()), Rectangle(0, k_len), q_len, scores.device)]
    return scores if work.schedule is None else scores.masked_fill(~dense(work.schedule), float("-inf"))


def dense(schedule: Schedule) -> Bool[Tensor, "#b #h q k"]:
    """The table that a schedule was made of."""
    tiles = schedule.bits.new_zeros(schedule.batch * schedule.heads * schedule.rows, schedule.columns, BLOCK)
    words = torch.cat([schedule.bits, schedule.bits.new_full((1, BLOCK), -1)])  # the last, index -1, is a whole block
    tiles[schedule.row.long(), schedule.column.long()] = words[schedule.tile.long()]
    table = rearrange(unpacked(tiles[..., None]), "(b h i) j q k -> b h (i q) (j k)", b=schedule.batch, h=schedule.heads, i=schedule.rows)
    return table[:, :, : schedule.q_len, : schedule.k_len]
