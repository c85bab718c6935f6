"""The pairs of blocks of which nothing is certain, as words; then what is empty goes, and what is full is marked."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Int64
from torch import Tensor
from torch.nn import functional

from heedful.attention.masks.spans import BLOCK
from heedful.attention.masks.words import below, packed
from heedful.attention.schedule.grid import Found, Grid
from heedful.attention.schedule.schedule import WHOLE, Schedule, starts

# Blocks whose words are found at once, and pairs answered at once: they bound the memory.
BLOCKS = 2048
PAIRS = 1 << 24
EMPTY = -2


def filled(grid: Grid, found: Found) -> Schedule:
    """The schedule of the blocks found."""
    part = (~found.every).nonzero().flatten()
    slot, bits = _tiles(grid, found.row[part], found.column[part])
    tile = torch.full_like(found.column, WHOLE)
    tile[part] = slot
    row, column = found.row, found.column
    if bool((slot == EMPTY).any()):
        held = (tile != EMPTY).nonzero().flatten()
        row, column, tile = row[held], column[held], tile[held]
    start = starts(torch.bincount(row, minlength=grid.batch * grid.heads * grid.rows))
    return Schedule(grid.lengths.q, grid.lengths.k, grid.batch, grid.heads, start, column.to(torch.int32), tile.to(torch.int32), bits)


def _tiles(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> tuple[Int64[Tensor, " n"], Int64[Tensor, "t 64"]]:
    """The tile of each block, `WHOLE` or `EMPTY` or which of the words, and the words."""
    slot, shown = _alike(grid, row, column) if grid.rule.shift else (None, torch.arange(len(row), device=grid.device))
    row, column = row[shown], column[shown]
    inside = _inside(grid, row, column)
    bits = _words(grid, row, column) & inside
    whole, empty = (bits == inside).all(1), (bits == 0).all(1)
    kept = (~(whole | empty)).nonzero().flatten()
    number = empty.long() * (EMPTY - WHOLE) + WHOLE
    number[kept] = torch.arange(len(kept), device=grid.device)
    return number if slot is None else number[slot], bits[kept]


def _alike(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " m"]]:
    """Blocks of a rule of k - q that must be the same, by number, and one block of each number."""
    kind = (column - row + grid.rows) * 4
    if grid.lengths.q % BLOCK or grid.lengths.k % BLOCK:
        kind = kind + (row == grid.rows - 1) * 2 + (column == grid.columns - 1)
    shown = torch.full(((grid.rows + grid.columns) * 4,), -1, device=grid.device)
    shown[kind] = torch.arange(len(kind), device=grid.device)
    kinds = (shown >= 0).nonzero().flatten()
    number = torch.zeros_like(shown)
    number[kinds] = torch.arange(len(kinds), device=grid.device)
    return number[kind], shown[kinds]


def _inside(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> Int64[Tensor, "n #64"]:
    """The words of the pairs that are before the last query and key."""
    keys = below((grid.lengths.k - column * BLOCK).clamp(max=BLOCK))[:, None]
    if grid.lengths.q % BLOCK == 0:
        return keys
    query = (row % grid.rows * BLOCK)[:, None] + torch.arange(BLOCK, device=row.device)
    return keys * (query < grid.lengths.q)


def _words(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> Int64[Tensor, "n 64"]:
    """The words of blocks."""
    if not len(row):
        return torch.zeros(0, BLOCK, dtype=torch.int64, device=grid.device)
    if 2 * len(row) >= grid.batch * grid.heads * grid.rows * grid.columns:
        return _by_rows(grid, row, column)
    spans = [slice(first, first + BLOCKS) for first in range(0, len(row), BLOCKS)]
    parts = [_by_block(grid, row[span], column[span]) for span in spans]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _by_block(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> Int64[Tensor, "n 64"]:
    """The words of a few blocks, the rule asked about each."""
    b, h, block = grid.places(row)
    low, high = grid.queries(block)
    q = torch.minimum(low[:, None] + torch.arange(BLOCK, device=row.device), high[:, None])
    words = grid.rule.words(b[:, None], h[:, None], q, (column * BLOCK)[:, None], grid.lengths)
    return words.expand(len(row), BLOCK)


def _by_rows(grid: Grid, row: Int64[Tensor, " n"], column: Int64[Tensor, " n"]) -> Int64[Tensor, "n 64"]:
    """The words of most blocks, out of the rule's whole rows."""
    b, h, block = grid.places(row)
    bits = torch.empty(len(row), BLOCK, dtype=torch.int64, device=grid.device)
    step = max(1, PAIRS // (grid.batch * grid.heads * grid.columns * BLOCK * BLOCK))
    for first in range(0, grid.rows, step):
        mine = ((block >= first) & (block < first + step)).nonzero().flatten()
        table = _packed_rows(grid, first, min(first + step, grid.rows))
        bits[mine] = table[b[mine], h[mine], block[mine] - first, column[mine]]
    return bits


def _packed_rows(grid: Grid, first: int, stop: int) -> Int64[Tensor, "b h rows columns 64"]:
    """The words of some rows of blocks."""
    q_len, k_len = grid.lengths.q, grid.lengths.k
    table = grid.rule.rows(first * BLOCK, min(stop * BLOCK, q_len), q_len, k_len, grid.device)
    table = table.expand(-1, -1, -1, k_len)
    words = packed(functional.pad(table, (0, grid.columns * BLOCK - k_len)))
    words = words.expand(grid.batch, grid.heads, min(stop * BLOCK, q_len) - first * BLOCK, -1)
    padded = functional.pad(words, (0, 0, 0, stop * BLOCK - min(stop * BLOCK, q_len)))
    return rearrange(padded, "b h (rows i) columns -> b h rows columns i", i=BLOCK)
