"""Masks and lengths at random, for hypothesis."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from heedful.masks import BigBird, Blocks, Causal, Dense, Dilated, Mask, Padding, Prefix, Random, Sinks, Strided, Window

small = st.integers(1, 6)
lengths = st.tuples(st.integers(1, 12), st.integers(1, 12))

positional: st.SearchStrategy[Mask] = st.one_of(
    st.just(Causal()),
    st.builds(Window, small, st.integers(0, 4)),
    st.builds(Sinks, st.integers(0, 6)),
    st.builds(Prefix, st.integers(0, 6)),
    st.builds(Strided, small),
    st.builds(Dilated, small, small),
    st.builds(Blocks, small),
    st.builds(BigBird, small, small, st.integers(0, 3), st.just(0)),
    st.builds(lambda n: Prefix(torch.tensor(n)), st.lists(st.integers(0, 8), min_size=2, max_size=2)),
)
chance: st.SearchStrategy[Mask] = st.one_of(
    st.builds(Random, small, st.integers(-5, 2**40)),
    st.builds(BigBird, small, small, st.integers(0, 3), small, st.integers(0, 9)),
)


def combined(leaves: st.SearchStrategy[Mask]) -> st.SearchStrategy[Mask]:
    """Leaves joined by & | ~ to a few levels."""
    return st.recursive(
        leaves,
        lambda part: st.one_of(
            st.builds(lambda a, b: a & b, part, part), st.builds(lambda a, b: a | b, part, part), st.builds(lambda a: ~a, part)
        ),
        max_leaves=4,
    )


def sized(q: int, k: int) -> st.SearchStrategy[Mask]:
    """Leaves that are made for certain lengths."""
    return st.one_of(
        st.builds(
            lambda n, side: Padding(torch.tensor(n), side),
            st.lists(st.integers(0, k), min_size=2, max_size=2),
            st.sampled_from(["left", "right"]),
        ),
        st.integers(0, 99).map(lambda seed: Dense(torch.rand(2, 1, q, k, generator=torch.Generator().manual_seed(seed)) > 0.4)),
    )
