"""Chance without a table: draws that are a hash of their place, so that any entry of a random mask is known by itself."""

from __future__ import annotations

import torch

from heedful.attention.masks.mask import Index, Truth

WORD = 0xFFFFFFFF


def mixed(seed: int, row: Index, turn: Index) -> Index:
    """A 32-bit hash of the three numbers, by rounds of xor-shift and multiply; no product leaves int64."""
    word = torch.full_like(row, seed & WORD)
    for part in (row, turn):
        word = (word ^ part) & WORD
        for _ in range(2):
            word = ((word ^ (word >> 16)) * 0x45D9F3B) & WORD
        word = (word ^ (word >> 16)) + 0x3C6EF372
    return word & WORD


def draw(seed: int, row: Index, turn: Index, count: Index | int, strata: Index | int) -> Index:
    """The number that `row` draws at its turn, out of `count`.

    The numbers are cut into nearly equal strata, one for each turn, so that every number has the same chance (up to the
    rounding of the cuts), none is drawn twice, and the draw is spread out.
    """
    start = turn * count // strata
    size = ((turn + 1) * count // strata - start).clamp(min=1)
    return start + mixed(seed, row, turn) % size


def drawn(seed: int, row: Index, rank: Index, count: Index | int, draws: int) -> Truth:
    """Whether `row` draws number `rank` out of `count` in so many turns: exactly min(draws, count) of them are."""
    row, rank = row.to(torch.int64), rank.to(torch.int64)
    total = (torch.zeros_like(rank) + count).clamp(min=1)
    strata = total.clamp(max=draws)
    turn = ((rank + 1) * strata - 1) // total
    return rank == draw(seed, row, turn, total, strata)
