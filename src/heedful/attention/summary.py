"""What attention did, in numbers that grow with the length and not with its square."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

SUMMARIES = ("entropy", "distance", "sinks", "topk", "columns", "lse")
SINKS = 4  # keys counted as sinks: StreamingLLM, arXiv 2309.17453
TOPK = 8


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The summaries that were asked for; the others are None. All but `lse` describe the weights before dropout.

    entropy: nats of each query's weights. distance: mass by distance |i - j|, summed over queries, in the buckets
    0, 1, 2-3, 4-7, 8-15, ... sinks: mass on the first four keys. topk: the eight heaviest keys of each query, weights and
    indices. columns: mass that each key receives. lse: log of the sum of exp(score) over the keys (and the sink logit).
    """

    entropy: Float[Tensor, "b h q"] | None = None
    distance: Float[Tensor, "b h buckets"] | None = None
    sinks: Float[Tensor, "b h q"] | None = None
    topk: tuple[Float[Tensor, "b h q n"], Int[Tensor, "b h q n"]] | None = None
    columns: Float[Tensor, "b h k"] | None = None
    lse: Float[Tensor, "b h q"] | None = None


def buckets(k_len: int) -> int:
    """How many distance buckets a length needs: 0, 1, 2-3, 4-7, ... up to k_len - 1."""
    return 1 + max(k_len - 1, 0).bit_length()


def by_distance(weights: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h buckets"]:
    """Mass by distance of key and query, the last query standing at the last key."""
    q_len, k_len = weights.shape[-2:]
    rows = torch.arange(q_len, device=weights.device) + (k_len - q_len)
    far = (rows[:, None] - torch.arange(k_len, device=weights.device)[None, :]).abs()
    bucket = (far.double().log2().floor() + 1).clamp(min=0).long().flatten()
    into = weights.new_zeros(*weights.shape[:2], max(buckets(k_len), int(bucket.max()) + 1 if bucket.numel() else 1))
    return into.index_add(-1, bucket, weights.flatten(-2))


def summarise(weights: Float[Tensor, "b h q k"], lse: Float[Tensor, "b h q"] | None, wanted: Collection[str]) -> Summary:
    """The naive form: every summary from the whole matrix of weights."""
    top = weights.topk(min(TOPK, weights.shape[-1]), dim=-1) if "topk" in wanted else None
    return Summary(
        entropy=torch.special.entr(weights).sum(-1) if "entropy" in wanted else None,
        distance=by_distance(weights) if "distance" in wanted else None,
        sinks=weights[..., :SINKS].sum(-1) if "sinks" in wanted else None,
        topk=(top.values, top.indices) if top is not None else None,
        columns=weights.sum(-2) if "columns" in wanted else None,
        lse=lse,
    )
