"""From which length on a plan is quicker than all of the attention: short sequences are read whole."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.predict import predict_cost
from heedful.manage.apply.passing import Part, merged

if TYPE_CHECKING:
    from heedful.manage.apply.heads import Heads

SHORTEST, LONGEST = 64, 1 << 13

Shape = tuple[int, int, int, Mask | None]  # query heads, key/value heads, width, mask


def crossover(layer: Heads, q: Tensor) -> int:
    """The least power of two (64 to 8,192) from which every longer one is predicted to be quicker; 0 where all are."""
    if len(layer.arrangement.groups) <= 1 and all(group.rule is None for group in layer.arrangement.groups):
        return 0
    if torch.compiler.is_compiling():
        return 0
    return least(layer, len(q), q.dtype, q.device.type)


def least(layer: Heads, batch: int, dtype: torch.dtype, device: str) -> int:
    """The same, remembered in the layer."""
    key = (batch, dtype, device, torch.get_num_threads())
    known = layer.crossovers.get(key)
    if known is None:
        known = layer.crossovers[key] = searched(layer, batch, dtype, device)
    return known


def searched(layer: Heads, batch: int, dtype: torch.dtype, device: str) -> int:
    """Going down from the longest, the last length at which the plan was quicker."""
    length, found = LONGEST, LONGEST * 2
    while length >= SHORTEST:
        if not quicker(layer, length, batch, dtype, device):
            return found
        length, found = length // 2, length
    return 0


def quicker(layer: Heads, length: int, batch: int, dtype: torch.dtype, device: str) -> bool:
    """Whether the groups together take less time than all heads at once."""
    whole = sum(milliseconds(shape(layer, part), length, batch, dtype, device, torch.get_num_threads()) for part in merged(layer, None))
    parts = [milliseconds(shape(layer, part), length, batch, dtype, device, torch.get_num_threads()) for part in merged(layer, length)]
    return sum(parts) <= whole


def shape(layer: Heads, part: Part) -> Shape:
    """What a part's time depends on, but for the length."""
    heads = part.heads.stop - part.heads.start
    keys = part.keys.stop - part.keys.start if isinstance(part.keys, slice) else heads
    return heads, keys, layer.site.d, part.mask


@lru_cache(maxsize=4096)
def milliseconds(shape: Shape, length: int, batch: int, dtype: torch.dtype, device: str, threads: int) -> float:
    """The predicted time of a call of `attend`; nothing where nothing is known."""
    heads, keys, d, mask = shape
    found = predict_cost(q=length, heads=heads, kv_heads=keys, d=d, batch=batch, dtype=dtype, device=device, mask=mask)
    return found.milliseconds or 0.0
