"""Where a head's attention goes, in a few numbers: means over sampled queries of what their weights say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from heedful.attention.summary import SINKS, buckets
from heedful.manage.sample import Sample

# What is found of each head: masses are shares of a query's weight.
PATTERNS: Mapping[str, str] = {
    "entropy": "nats",
    "uniform": "nats of weights that are all alike over the same keys",
    "distance": "mean of |q - k| in tokens",
    "sinks": f"mass on the first {SINKS} keys",
    "first": "mass on the first key that the query may see",
    "last": "mass on the last key that the query may see; its own where it sees no later one",
    "self": "mass on the query's own place",
    "previous": "mass on the place before",
    "next": "mass on the place after",
    "induction": "mass on what followed an earlier occurrence of the query's token",
    "repeated": "the share of its keys that are such",
    "near": "mass within 64 places",
    "buckets": "mass at distances 0, 1, 2-3, 4-7, 8-15, ...",
}
NEAR = 64


@final
@dataclass(eq=False)
class Gathered:
    """Sums over the real queries looked at so far, and how many they are."""

    sums: dict[str, Float64[np.ndarray, "h ..."]] = field(default_factory=dict)
    queries: int = 0

    def add(self, found: Mapping[str, Float[Tensor, "h ..."]], queries: int) -> None:
        """Another batch's; more buckets than before are new ones."""
        self.queries += queries
        for name, tensor in found.items():
            value = tensor.double().cpu().numpy()
            held = self.sums.get(name, np.zeros_like(value))
            if held.ndim > 1 and held.shape != value.shape:
                width = max(held.shape[1], value.shape[1])
                held, value = (np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in (held, value))
            self.sums[name] = held + value

    def means(self) -> dict[str, Float64[np.ndarray, "h ..."]]:
        """The means."""
        return {name: value / max(self.queries, 1) for name, value in self.sums.items()}


def patterns(sample: Sample, real: Bool[Tensor, "b s"], ids: Int[Tensor, "b k"] | None = None) -> dict[str, Float[Tensor, "h ..."]]:
    """Sums over the sampled queries that are real, by head; `ids` are the tokens at the keys."""
    weights = sample.weights if bool(real.all()) else sample.weights * real[:, None, :, None]
    b, h, _, k_len = weights.shape
    places = torch.arange(k_len, device=weights.device)
    far = (sample.positions[:, None] - places).abs()
    mass = by_bucket(weights.sum(0), far)
    seen = sample.visible.sum(-1).expand(b, h, -1)
    ends = [chosen.expand(b, h, -1) for chosen in edges(sample.visible)]
    found = {
        "entropy": torch.special.entr(weights).sum((0, 2, 3)),
        "uniform": (seen.clamp(min=1).float().log() * real[:, None]).sum((0, 2)),
        "distance": weights.sum(0).flatten(1) @ far.flatten().to(weights.dtype),
        "sinks": weights[..., :SINKS].sum((0, 2, 3)),
        "first": at(weights, ends[0]),
        "last": at(weights, ends[1]),
        "near": mass[:, : buckets(NEAR)].sum(1),
        "buckets": mass,
    }
    for name, step in (("self", 0), ("previous", -1), ("next", 1)):
        found[name] = at(weights, (sample.positions + step).expand(b, h, -1))
    if ids is not None and ids.shape == (b, k_len):
        after = followed(sample.positions, ids)[:, None]
        found["induction"] = (weights * after).sum((0, 2, 3))
        share = (sample.visible & after).sum(-1).expand(b, h, -1) / seen.clamp(min=1)
        found["repeated"] = (share * real[:, None]).sum((0, 2))
    return found


def edges(visible: Bool[Tensor, "#b #h s k"]) -> tuple[Int[Tensor, "#b #h s"], Int[Tensor, "#b #h s"]]:
    """The first and the last key that a query may see."""
    shown = visible.to(torch.uint8)
    return shown.argmax(-1), visible.shape[3] - 1 - shown.flip(-1).argmax(-1)


def by_bucket(weights: Float[Tensor, "h s k"], far: Int[Tensor, "s k"]) -> Float[Tensor, "h buckets"]:
    """Mass by distance: 0, 1, 2-3, 4-7 ..."""
    bucket = (far.double().log2().floor() + 1).clamp(min=0).long().flatten()
    into = weights.new_zeros(len(weights), max(buckets(weights.shape[2]), int(bucket.max()) + 1))
    return into.index_add(1, bucket, weights.flatten(1))


def at(weights: Float[Tensor, "b h s k"], places: Int[Tensor, "b h s"]) -> Float[Tensor, " h"]:
    """Mass on one key for each query; none where it is outside the sequence."""
    inside = (places >= 0) & (places < weights.shape[3])
    found = weights.gather(3, places.clamp(0, weights.shape[3] - 1)[..., None]).squeeze(-1)
    return (found * inside).sum((0, 2))


def followed(positions: Int[Tensor, " s"], ids: Int[Tensor, "b k"]) -> Bool[Tensor, "b s k"]:
    """Keys, not after the query, behind which the query's own token stood (Olsson et al. 2022, arXiv 2209.11895)."""
    k_len = ids.shape[1]
    same = ids[:, positions, None] == ids[:, None, :]
    place = torch.arange(k_len, device=ids.device)
    earlier = same & (place < positions[:, None])
    return torch.nn.functional.pad(earlier[..., :-1], (1, 0))
