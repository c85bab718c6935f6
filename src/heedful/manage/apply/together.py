"""All heads in one call, each under its own rule as a table: for whoever wants to see weights, or to put something in attention's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.select import Select
from heedful.manage.apply.arrangement import shared
from heedful.manage.apply.passing import parts_of, read

if TYPE_CHECKING:
    from heedful.manage.apply.attention import PlannedAttention


def attended(
    layer: PlannedAttention, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None, bias: Tensor | None, trace: bool | Select
) -> tuple[Float[Tensor, "b h q v"], Float[Tensor, "b n q k"] | None]:
    """The output of the heads that are left, and the weights of all of them in their old order if they are wanted."""
    heads = slice(0, q.shape[1])
    keys = shared(layer.arrangement.reads)
    rule: Mask = Dense(tables(layer, q, k.shape[2]))
    options = layer.options(heads, rule if mask is None else rule & mask, bias)
    if trace is False:
        return layer.core(q, read(k, keys), read(v, keys), **options), None
    out, weights = layer.core(q, read(k, keys), read(v, keys), return_weights=True, **options)
    whole = weights.new_zeros(len(q), layer.site.heads, *weights.shape[2:])
    whole[:, torch.tensor(layer.arrangement.queries, device=q.device)] = weights
    return out, trace.of(whole) if isinstance(trace, Select) else whole


def tables(layer: PlannedAttention, q: Tensor, length: int) -> Bool[Tensor, "#b h q k"]:
    """What each head may look at."""
    found = []
    for part in parts_of(layer, q, length):
        heads = part.heads.stop - part.heads.start
        if part.mask is None:
            table = torch.ones(1, 1, q.shape[2], length, dtype=torch.bool, device=q.device)
        else:
            table = part.mask.over(len(q), heads).dense(q.shape[2], length, q.device)
        found.append(table.expand(-1, heads, q.shape[2], length))
    batch = max(table.shape[0] for table in found)
    return torch.cat([table.expand(batch, -1, -1, -1) for table in found], dim=1)
