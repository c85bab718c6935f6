"""Masks and lengths of several blocks at random, for hypothesis, and a schedule written out."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor

from attention.masks.mask_strategies import combined
from heedful.attention.schedule.schedule import Schedule
from heedful.masks import BigBird, Blocks, Causal, Dense, Dilated, Documents, Mask, Padding, Prefix, Random, Rule, Sinks, Strided, Window

BATCH, HEADS = 2, 3
length = st.sampled_from([1, 2, 63, 64, 65, 100, 128, 191, 200])
lengths = st.tuples(length, length)
near = st.integers(0, 210)
size = st.integers(1, 210)


def by_head(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
    """A window that widens with the head."""
    return (q - k).abs() <= 40 * h


positional: st.SearchStrategy[Mask] = st.one_of(
    st.just(Causal()),
    st.builds(Window, size, st.integers(0, 100)),
    st.builds(Sinks, near),
    st.builds(Prefix, near),
    st.builds(Strided, size),
    st.builds(Dilated, st.integers(1, 40), st.integers(1, 70)),
    st.builds(Blocks, size),
    st.builds(
        BigBird,
        st.sampled_from([1, 7, 20, 32, 50, 64, 100, 128]),
        st.integers(1, 4),
        st.integers(0, 2),
        st.integers(0, 4),
        st.integers(0, 9),
    ),
    st.builds(Random, st.integers(1, 20), st.integers(0, 9)),
    st.builds(lambda n: Prefix(torch.tensor(n)), st.lists(near, min_size=BATCH, max_size=BATCH)),
    st.just(Rule(by_head, made_for=(BATCH, HEADS))),
    st.builds(lambda m: Rule(lambda b, h, q, k: (q + k) // m % 3 > 0), size),
)


def table(shape: tuple[int, ...], seed: int, share: float) -> Tensor:
    """Booleans of which about `share` are True, in runs."""
    steps = torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.02
    return (steps.long().cumsum(-1) * 7 + seed) % 10 < 10 * share


def sized(q: int, k: int) -> st.SearchStrategy[Mask]:
    """Masks made for certain lengths."""
    seed, share = st.integers(0, 99), st.sampled_from([0.1, 0.5, 0.9, 1.0])
    shape = st.sampled_from([(q, k), (BATCH, 1, q, k), (BATCH, 1, 1, k), (HEADS, 1, k), (1, HEADS, q, 1)])
    real = st.lists(st.integers(0, k), min_size=BATCH, max_size=BATCH)
    kinds = [
        st.builds(lambda n, side: Padding(torch.tensor(n), side), real, st.sampled_from(["left", "right"])),
        st.builds(lambda shape, seed, share: Dense(table(shape, seed, share)), shape, seed, share),
    ]
    if q <= k:
        kinds.append(st.builds(lambda seed, of: Documents(packs(k, seed) % of), seed, st.sampled_from([2, 5, 1000])))
    return st.one_of(*kinds)


def packs(n: int, seed: int) -> Tensor:
    """Document numbers (b, n) that rise now and then."""
    return (torch.rand(BATCH, n, generator=torch.Generator().manual_seed(seed)) < 0.03).long().cumsum(1)


Drawn = tuple[tuple[int, int], Mask]


def moved(drawn: tuple[tuple[int, int], Mask], seed: int) -> Drawn:
    """The mask at positions of its own, in order or not."""
    (q, k), mask = drawn
    generator = torch.Generator().manual_seed(seed)
    queries, keys = (torch.randint(0, k, (n,), generator=generator) for n in (q, k))
    return (q, k), mask.at(queries.sort().values, keys.sort().values if seed % 2 else keys, k)


plain: st.SearchStrategy[Drawn] = lengths.flatmap(lambda size: st.tuples(st.just(size), combined(positional | sized(*size))))
drawn_masks: st.SearchStrategy[Drawn] = st.one_of(
    plain, plain, st.builds(moved, plain.filter(lambda drawn: drawn[0][0] == drawn[0][1]), st.integers(0, 9))
)


def whole(mask: Mask, q: int, k: int) -> Tensor:
    """The mask's table with all axes full."""
    return mask.over(BATCH, HEADS).dense(q, k).expand(BATCH, HEADS, q, k)


def bits(words: Tensor) -> Tensor:
    """Words (..., 64) as tables (..., 64, 64)."""
    octets = words.numpy()[..., None].view(np.uint8)
    return torch.from_numpy(np.unpackbits(octets, axis=-1, bitorder="little")).bool()


def written_out(schedule: Schedule, *, by_keys: bool = False) -> Tensor:
    """The table (batch, heads, queries, keys) that a schedule means, read row by row, or column by column."""
    q, k = schedule.q_len, schedule.k_len
    if by_keys:
        q, k, start, other, tile, words = k, q, schedule.t_start, schedule.t_row, schedule.t_tile, schedule.t_bits
    else:
        start, other, tile, words = schedule.start, schedule.column, schedule.tile, schedule.bits
    rows = -(-q // 64)
    out = torch.zeros(schedule.batch * schedule.heads * rows, 64, -(-k // 64) * 64, dtype=torch.bool)
    held = bits(words)
    for row in range(len(out)):
        span = range(int(start[row]), int(start[row + 1]))
        assert other[span.start : span.stop].diff().gt(0).all()
        for entry in span:
            key = int(other[entry])
            block = out[row, :, key * 64 : key * 64 + 64]
            block[:] = held[tile[entry]] if tile[entry] >= 0 else True
            assert block.any()
    table = out.view(schedule.batch, schedule.heads, rows * 64, -1)[:, :, :q, :k]
    return table.mT if by_keys else table
