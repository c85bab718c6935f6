"""The order of work: slabs of queries, each against rectangles of keys that hold all it may attend to.

A rectangle is one run of keys, or several short runs gathered into one: few large products beat many small ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int, Int32
from torch import Tensor

from heedful.attention.masks.spans import BLOCK
from heedful.attention.schedule.schedule import Schedule

ALLOWED, NOTHING = -1, -2  # what a block's tile says where it is no index
KEPT = 64  # patches kept with a plan


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Columns of a rectangle in which some pairs are not allowed: the tile of each of its blocks."""

    start: int
    stop: int
    tiles: Int32[np.ndarray, "rows columns"]


@dataclass(frozen=True, slots=True, eq=False)
class Rectangle:
    """Keys start ... stop - 1, or those of `index`, and the patches that are not all allowed."""

    start: int
    stop: int
    index: Int[Tensor, " n"] | None = None
    patches: tuple[Patch, ...] = ()

    @property
    def width(self) -> int:
        """How many keys."""
        return self.stop - self.start if self.index is None else self.index.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """Queries start ... stop - 1 and what they attend to."""

    start: int
    stop: int
    rectangles: tuple[Rectangle, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """The slabs of one sequence and one head of the schedule; None stands for all of them."""

    b: int | None
    h: int | None
    slabs: tuple[Slab, ...]


class Plan:
    """All the shares of some work, and the patches of its masks as numbers to add."""

    def __init__(self, shares: tuple[Share, ...], bits: Tensor | None) -> None:
        self.shares, self.bits = shares, bits
        self.added: dict[tuple[bytes, int, int, torch.dtype], Tensor] = {}

    def patch(self, patch: Patch, rows: int, dtype: torch.dtype) -> Float[Tensor, "rows columns"]:
        """0 where a pair is allowed and -inf where it is not."""
        key = (patch.tiles.tobytes(), rows, patch.stop - patch.start, dtype)
        found = self.added.get(key)
        if found is None:
            found = self._patch(patch, rows, dtype)
            if len(self.added) >= KEPT:
                self.added.clear()
            self.added[key] = found
        return found

    def _patch(self, patch: Patch, rows: int, dtype: torch.dtype) -> Float[Tensor, "rows columns"]:
        assert self.bits is not None
        tiles = torch.as_tensor(patch.tiles, device=self.bits.device).long()
        words = torch.cat([self.bits, self.bits.new_tensor([[0], [-1]]).expand(2, BLOCK)])[tiles]  # NOTHING and ALLOWED are the last two
        shut = (words[..., None] >> torch.arange(BLOCK, device=words.device)) & 1 == 0
        n, m = patch.tiles.shape
        whole = shut.permute(0, 2, 1, 3).reshape(n * BLOCK, m * BLOCK)[:rows, : patch.stop - patch.start]
        return torch.zeros(whole.shape, dtype=dtype, device=whole.device).masked_fill_(whole, float("-inf"))


def unmasked(q_len: int, k_len: int, rows: int, columns: int) -> Plan:
    """Every query against every key."""
    rectangles = tuple(Rectangle(start, min(start + columns, k_len)) for start in range(0, k_len, columns))
    slabs = tuple(Slab(start, min(start + rows, q_len), rectangles) for start in range(0, q_len, rows))
    return Plan((Share(None, None, slabs),), None)


PLANS: WeakKeyDictionary[Schedule, dict[tuple[int, int], Plan]] = WeakKeyDictionary()


def scheduled(schedule: Schedule, rows: int, columns: int) -> Plan:
    """The blocks of a schedule, `rows` queries and at most `columns` keys at a time (whole blocks); kept while the schedule is."""
    plans = PLANS.setdefault(schedule, {})
    if (rows, columns) not in plans:
        plans[rows, columns] = _planned(schedule, rows, columns)
    return plans[rows, columns]


def _planned(schedule: Schedule, rows: int, columns: int) -> Plan:
    start, column, tile = (x.cpu().numpy() for x in (schedule.start, schedule.column, schedule.tile))
    block_rows = -(-schedule.q_len // BLOCK)
    shares = []
    for number in range(schedule.batch * schedule.heads):
        at = start[number * block_rows : (number + 1) * block_rows + 1]
        slabs = tuple(_slabs(schedule, at, column, tile, rows // BLOCK, columns))
        b, h = divmod(number, schedule.heads)
        shares.append(Share(b if schedule.batch > 1 else None, h if schedule.heads > 1 else None, slabs))
    return Plan(tuple(shares), schedule.bits)


def _slabs(schedule: Schedule, start: np.ndarray, column: np.ndarray, tile: np.ndarray, step: int, columns: int) -> Iterator[Slab]:
    for first in range(0, len(start) - 1, step):
        bounds = start[first : first + step + 1]
        here = slice(int(bounds[0]), int(bounds[-1]))
        keys, place = np.unique(column[here], return_inverse=True)
        if not len(keys):
            continue
        tiles = np.full((len(bounds) - 1, len(keys)), NOTHING, dtype=np.int32)
        tiles[np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)), place] = tile[here]
        groups = grouped(keys, columns // BLOCK)
        rectangles = tuple(_rectangle(keys[list(group)], tiles[:, list(group)], schedule) for group in groups)
        yield Slab(first * BLOCK, min((first + len(bounds) - 1) * BLOCK, schedule.q_len), rectangles)


def grouped(keys: np.ndarray, most: int) -> list[list[int]]:
    """Ascending block columns cut into rectangles of at most `most`: long runs alone, short ones together.

    >>> grouped(np.array([0, 4, 5, 6, 7, 8, 9, 20]), 4)
    [[1, 2, 3, 4], [0, 5, 6, 7]]
    """
    cuts = [0, *(np.flatnonzero(np.diff(keys) > 1) + 1).tolist(), len(keys)]
    alone: list[list[int]] = []
    pools: list[list[int]] = [[]]
    for begin, end in pairwise(cuts):
        for at in range(begin, end, most):
            run = list(range(at, min(at + most, end)))
            if 2 * len(run) > most:
                alone.append(run)
            elif len(pools[-1]) + len(run) <= most:
                pools[-1].extend(run)
            else:
                pools.append(run)
    return alone + [pool for pool in pools if pool]


def _rectangle(keys: np.ndarray, tiles: np.ndarray, schedule: Schedule) -> Rectangle:
    start, stop = int(keys[0]) * BLOCK, min((int(keys[-1]) + 1) * BLOCK, schedule.k_len)
    width = len(keys) * BLOCK - ((int(keys[-1]) + 1) * BLOCK - stop)
    index = None
    if int(keys[-1]) - int(keys[0]) + 1 > len(keys):
        at = (keys[:, None].astype(np.int64) * BLOCK + np.arange(BLOCK)).reshape(-1)[:width]
        index = torch.as_tensor(at, device=schedule.bits.device)
    return Rectangle(start, stop, index, tuple(_patches(tiles, width)))


def _patches(tiles: np.ndarray, width: int) -> Iterator[Patch]:
    """Runs of columns in which a block is not all allowed."""
    mixed = np.concatenate([[False], (tiles != ALLOWED).any(0), [False]])
    edges = np.flatnonzero(mixed[1:] != mixed[:-1]).tolist()
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        yield Patch(begin * BLOCK, min(end * BLOCK, width), np.ascontiguousarray(tiles[:, begin:end]))
