"""A pass over a whole sequence: which heads are computed in one call, and under which rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window
from heedful.manage.apply.arrangement import Group, Keys, runs, shared
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.drawn import COLUMNS

if TYPE_CHECKING:
    from heedful.manage.apply.heads import Heads


@dataclass(frozen=True, slots=True)
class Part:
    """Query heads beside each other, the keys they read, and the layer's own mask with what the plan adds to it.

    `columns`: what each key draws is wanted too.
    """

    heads: slice
    keys: Keys
    mask: Mask | None
    columns: bool = False


def passed(
    layer: Heads, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None, bias: Tensor | None, cache: RaggedCache | None = None
) -> Float[Tensor, "b h q v"]:
    """A whole sequence, each group under its rule and `mask`; a cache is told what its options will ask of the pass."""
    outs = []
    for part in parts_of(layer, q, k.shape[2], cache):
        options = layer.options(part.heads, both(part.mask, mask), bias)
        heads = q[:, part.heads], read(k, part.keys), read(v, part.keys)
        if part.columns and cache is not None:
            out, summary = attend(*heads, summaries=COLUMNS, **options)
            assert summary.columns is not None
            cache.columns[part.heads.start] = summary.columns
        else:
            out = attend(*heads, **options)
        outs.append(out)
    return outs[0] if len(outs) == 1 else torch.cat([out.transpose(1, 2) for out in outs], dim=2).transpose(1, 2)


def parts_of(layer: Heads, q: Tensor, length: int, cache: RaggedCache | None = None) -> tuple[Part, ...]:
    """The parts of a pass over `length` keys: the groups, or all heads at once where that is quicker."""
    window = None if cache is None or cache.window is None or cache.window >= length else cache.window
    parts = merged(layer, None if length < layer.crossover(q) else length)
    if cache is not None:
        parts = tuple(piece for part in parts for piece in told_apart(layer, part, cache, length))
    return tuple(kept_near(part, window, cache) for part in parts)


def told_apart(layer: Heads, part: Part, cache: RaggedCache, length: int) -> list[Part]:
    """The part, cut where what its keys draw begins or ends to be wanted."""
    wanted = cache.wanted(length)
    found = []
    for run in runs(wanted[part.heads]):
        heads = slice(part.heads.start + run.start, part.heads.start + run.stop)
        found.append(replace(part, heads=heads, keys=shared(layer.arrangement.reads[heads]), columns=wanted[heads.start]))
    return found


def merged(layer: Heads, length: int | None) -> tuple[Part, ...]:
    """The groups, those together whose rule leaves all of `length` keys; all of them where `length` is None."""
    groups, own = layer.arrangement.groups, layer.mask
    free = [group for group in groups if length is None or leaves_all(layer, group, length)]
    parts = [] if not free else [joined(layer, free, own)]
    return (*parts, *(Part(group.heads, group.keys, both(own, layer.rule(group))) for group in groups[len(free) :]))


def leaves_all(layer: Heads, group: Group, length: int) -> bool:
    """Whether a group's rule shuts nothing at a length. (Wider bands stand before narrower ones.)"""
    if group.rule is None:
        return True
    return layer.site.causal and group.band is not None and group.band.covers(length)


def joined(layer: Heads, groups: list[Group], own: Mask | None) -> Part:
    """Groups that begin the layer, as one."""
    heads = slice(0, groups[-1].heads.stop)
    return Part(heads, shared(layer.arrangement.reads[heads]), own)


def kept_near(part: Part, window: int | None, cache: RaggedCache | None) -> Part:
    """The part under what a cache forgets, where the caller wants no more than a window."""
    if window is None or cache is None:
        return part
    near: Mask = Window(window) | Sinks(cache.pinned) if cache.pinned else Window(window)
    return replace(part, mask=near if part.mask is None else part.mask & near)


def both(own: Mask | None, rule: Mask | None) -> Mask | None:
    """Two rules as one."""
    return rule if own is None else own if rule is None else own & rule


def read(x: Float[Tensor, "b g k d"], keys: Keys) -> Float[Tensor, "b n k d"]:
    """The key/value heads that some query heads read."""
    return x[:, keys] if isinstance(keys, slice) else x.index_select(1, torch.tensor(keys, device=x.device))
