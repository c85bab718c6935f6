"""The keys that neighbouring queries may see, as ranges, against the table itself."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from attention.masks.mask_strategies import combined, lengths, positional
from heedful.attention.masks.seen import Ranges, seen
from heedful.masks import Blocks, Causal, Lengths, Mask, Padding, Random, Sinks, Window


def marked(ranges: Ranges, k: int) -> torch.Tensor:
    """The ranges as booleans; they stand in order and apart."""
    flat = [edge for both in ranges for edge in both]
    assert flat == sorted(set(flat))
    table = torch.zeros(k, dtype=torch.bool)
    for start, stop in ranges:
        table[start:stop] = True
    return table


@given(mask=combined(positional), sizes=lengths, rows=st.tuples(st.integers(0, 11), st.integers(0, 11)))
def test_some_holds_whatever_one_sees_and_all_only_what_each_sees(mask: Mask, sizes: tuple[int, int], rows: tuple[int, int]) -> None:
    q, k = sizes
    first, last = sorted(min(row, q - 1) for row in rows)
    table = mask.dense(q, k).expand(-1, -1, q, k)[:, :, first : last + 1].flatten(0, 2)
    found = seen(mask, first + k - q, last + k - q, Lengths(q, k))
    some, every = marked(found.some, k), marked(found.all, k)
    assert not (table.any(0) & ~some).any()
    assert not (every & ~table.all(0)).any()


def test_one_query_under_rules_that_are_known_needs_no_mask() -> None:
    for mask in (Causal(), Window(3, ahead=1), Causal() & (Sinks(2) | Window(3)), ~Blocks(4) & Causal(), ~(Causal() & ~Window(2))):
        table = mask.dense(1, 11)[0, 0, 0]
        found = seen(mask, 10, 10, Lengths(1, 11))
        assert found.some == found.all
        assert torch.equal(marked(found.some, 11), table)


def test_what_is_not_known_may_be_anything_within_what_is() -> None:
    found = seen(Random(3) & Window(4), 9, 9, Lengths(1, 10))
    assert (found.some, found.all) == (((6, 10),), ())
    assert seen(Padding(torch.tensor([3, 7])), 9, 9, Lengths(1, 10)).some == ((0, 7),)
    assert seen(None, 0, 9, Lengths(10, 10)).all == ((0, 10),)
