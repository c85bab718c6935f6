"""Which heads and channels stay: the least worth is lost for the number asked for, and every layer keeps something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.train.compress.layer import Layer

Who = tuple[list[int], list[int]]  # query heads and key/value heads
MULTIPLE = 8  # channels are kept in rows that a processor's registers hold


@dataclass(frozen=True)
class Kept:
    """What stays of a layer, by its old numbers: query heads, key/value heads, channels."""

    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    channels: tuple[int, ...]


def share_of(whole: int, share: float, name: str) -> int:
    """How many a share between 0 and 1 is, one at least."""
    if not 0.0 < share <= 1.0:
        raise UsageError(f"--{name} is {share:g}: the share that stays lies above 0 and at most at 1, for example 0.5")
    return max(1, round(share * whole))


def heads_kept(layers: Sequence[Layer], worth: Sequence[Float[Tensor, " h"]], share: float, alike: bool) -> list[Who]:
    """The query heads and the key/value heads that stay of each layer; with `alike` as many of each in all of them.

    Query heads stay evenly spread over the key/value heads that stay, as attention wants it: for every such shape the best heads
    are known, and the shapes are chosen together, by dynamic programming over the number of heads.

    >>> layer = Layer("out", "down", heads=4, kv_heads=2, d=8, channels=32)
    >>> heads_kept([layer], [torch.tensor([5.0, 1.0, 2.0, 3.0])], 0.5, alike=False)
    [([0, 3], [0, 1])]
    """
    tables = [shapes(layer, each) for layer, each in zip(layers, worth, strict=True)]
    if alike:
        return alike_heads(layers, tables, share)
    total = share_of(sum(layer.heads for layer in layers), share, "heads")
    best: dict[int, tuple[float, list[Who]]] = {0: (0.0, [])}
    for table in tables:
        grown: dict[int, tuple[float, list[Who]]] = {}
        for used, (lost, chosen) in best.items():
            for number, (cost, kept) in table.items():
                if used + number <= total and lost + cost < grown.get(used + number, (float("inf"), []))[0]:
                    grown[used + number] = (lost + cost, [*chosen, kept])
        best = grown
    if not best:
        raise UsageError(f"--heads {share:g} leaves {total} heads to {len(layers)} layers, one each at least: a larger share would work")
    return min(best.values(), key=lambda found: found[0])[1]


def alike_heads(layers: Sequence[Layer], tables: Sequence[dict[int, tuple[float, Who]]], share: float) -> list[Who]:
    """One shape for all layers: the largest that the share allows."""
    wanted = share_of(layers[0].heads, share, "heads")
    possible = sorted(number for number in set.intersection(*(set(table) for table in tables)) if number <= wanted)
    if not possible:
        raise UsageError(f"--heads {share:g} is less than one head a layer: a larger share would work")
    return [table[possible[-1]][1] for table in tables]


def shapes(layer: Layer, worth: Float[Tensor, " h"]) -> dict[int, tuple[float, Who]]:
    """By number of query heads that stay: the least worth that goes, and who stays."""
    by_group = rearrange(worth, "(g r) -> g r", r=layer.shared)
    found: dict[int, tuple[float, Who]] = {}
    for each in range(1, layer.shared + 1):
        top = by_group.topk(each, dim=1)
        order = top.values.sum(1).argsort(descending=True, stable=True)
        for groups in range(1, layer.kv_heads + 1):
            kept = sorted(order[:groups].tolist())
            heads = [g * layer.shared + r for g in kept for r in sorted(top.indices[g].tolist())]
            lost = float(worth.sum() - worth[heads].sum())
            if lost < found.get(len(heads), (float("inf"), None))[0]:
                found[len(heads)] = (lost, (heads, kept))
    return found


def channels_kept(worth: Sequence[Float[Tensor, " c"]], share: float, alike: bool) -> list[list[int]]:
    """The channels that stay of each layer, in multiples of 8; with `alike` as many in all layers.

    >>> channels_kept([torch.arange(16.0), torch.arange(16.0) + 100], 0.5, alike=True)[0]
    [8, 9, 10, 11, 12, 13, 14, 15]
    """
    sizes = [len(each) for each in worth]
    total = share_of(sum(sizes), share, "channels")
    if alike:
        counts = [rounded(share_of(size, share, "channels"), size) for size in sizes]
    else:
        ranks = torch.cat(list(worth)).argsort(descending=True)[:total]
        owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        counts = [rounded(int((owner[ranks] == layer).sum()), size) for layer, size in enumerate(sizes)]
    return [sorted(each.topk(count).indices.tolist()) for each, count in zip(worth, counts, strict=True)]


def rounded(count: int, most: int) -> int:
    """The nearest multiple of 8, at least one of them where there is one."""
    return min(most, max(min(MULTIPLE, most), round(count / MULTIPLE) * MULTIPLE))
