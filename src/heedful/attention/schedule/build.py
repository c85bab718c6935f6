"""From a mask to its schedule: which blocks may hold something, what is certain of them, and the pairs of the others."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.spans import BLOCK, Edges, Span
from heedful.attention.schedule.fill import filled
from heedful.attention.schedule.grid import Found, Grid
from heedful.attention.schedule.schedule import Schedule

# Blocks looked at at once: this bounds the memory.
LOOKED = 1 << 20


def build(mask: Mask, q_len: int, k_len: int, device: torch.device) -> Schedule:
    """The schedule of a mask that knows its numbers of sequences and heads."""
    lengths = Lengths(q_len, k_len)
    mask.fits(lengths)
    rule = mask.to(device)
    rule.settled(device)
    batch, heads = told_apart(rule, lengths, device)
    grid = Grid(rule, batch, heads, lengths, device)
    if not q_len or not k_len or not batch or not heads:
        none = torch.zeros(0, dtype=torch.int32, device=device)
        start = torch.zeros(batch * heads * grid.rows + 1, dtype=torch.int32, device=device)
        return Schedule(q_len, k_len, batch, heads, start, none, none, torch.zeros(0, BLOCK, dtype=torch.int64, device=device))
    return filled(grid, look(grid))


def told_apart(rule: Mask, lengths: Lengths, device: torch.device) -> tuple[int, int]:
    """How many sequences and heads must be told apart: 1 where an answer does not have the axis."""
    sizes = [1 if size is None else size for size in (rule.batch, rule.heads)]
    if max(sizes) > 1 and min(*sizes, lengths.q, lengths.k) > 0:
        zero = torch.zeros(1, 1, 1, 1, dtype=torch.int64, device=device)
        answer = rule.allowed(zero.expand(2, 1, 1, 1), zero.expand(1, 2, 1, 1), zero + lengths.k - 1, zero, lengths)
        shape = (1,) * (4 - answer.dim()) + answer.shape
        sizes = [size if answered > 1 else 1 for size, answered in zip(sizes, shape, strict=False)]
    return sizes[0], sizes[1]


def look(grid: Grid) -> Found:
    """The blocks that may hold something."""
    every_row = grid.batch * grid.heads * grid.rows
    step = max(1, LOOKED // grid.columns)
    parts = [_look(grid, torch.arange(r, min(r + step, every_row), device=grid.device)) for r in range(0, every_row, step)]
    if len(parts) == 1:
        return parts[0]
    return Found(*(torch.cat(column) for column in zip(*((p.row, p.column, p.every) for p in parts), strict=True)))


def _look(grid: Grid, rows: Int64[Tensor, " r"]) -> Found:
    """The blocks of some rows that may hold something."""
    b, h, block = grid.places(rows)
    q = grid.queries(block)
    at, column = candidates(grid.rule.reach(b, h, q, grid.lengths), len(rows), grid.columns, rows.device)
    if not len(column):
        return Found(column, column, column.bool())
    states = grid.rule.blocks(b[at], h[at], Edges(q.low[at], q.high[at]), grid.keys(column), grid.lengths)
    some = states.some.expand_as(column).nonzero().flatten()
    return Found(rows[at[some]], column[some], states.every.expand_as(column)[some])


def candidates(spans: tuple[Span, ...], rows: int, columns: int, device: torch.device) -> tuple[Int64[Tensor, " n"], Int64[Tensor, " n"]]:
    """The rows and the columns of the key blocks that the spans touch, each once, in order."""
    ends = [[torch.as_tensor(end, device=device).expand(rows) for end in span] for span in spans]
    low, high = torch.stack([low for low, _ in ends], 1), torch.stack([high for _, high in ends], 1)
    first, last = (low // BLOCK).clamp(min=0), (high // BLOCK).clamp(max=columns - 1)
    last = last.where(low <= high, -1)
    if len(spans) > 1:
        first, order = first.sort(1)
        last = last.gather(1, order)
        taken = torch.nn.functional.pad(last.cummax(1).values[:, :-1], (1, 0), value=-1)
        first = torch.maximum(first, taken + 1)
    counts = (last - first + 1).clamp(min=0).flatten()
    which = torch.repeat_interleave(torch.arange(len(counts), device=device), counts)
    before = counts.cumsum(0) - counts
    return which // len(spans), (first.flatten() - before)[which] + torch.arange(len(which), device=device)
