"""What masks say of whole blocks is never wrong, and what they say of a row at once is what they say one by one."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from torch import Tensor

from attention.schedule.long_masks import BATCH, HEADS, Drawn, bits, drawn_masks, whole
from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.spans import Edges
from heedful.masks import BigBird, Blocks, Causal, Dense, Dilated, Documents, Padding, Prefix, Sinks, Strided, Window

EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True, database=None)


def edges(n: int, shift: int = 0) -> Edges:
    low = torch.arange(0, n, 64)
    return Edges(low + shift, (low + 63).clamp(max=n - 1) + shift)


def pairs(mask: Mask, q: int, k: int) -> tuple[Tensor, Tensor, Tensor, Edges, Edges]:
    """Every block of every sequence and head, as flat lists."""
    rows, columns = -(-q // 64), -(-k // 64)
    b, h, i, j = (x.flatten() for x in torch.meshgrid(*(torch.arange(n) for n in (BATCH, HEADS, rows, columns)), indexing="ij"))
    queries, keys = edges(q, k - q), edges(k)
    return b, h, i, Edges(queries.low[i], queries.high[i]), Edges(keys.low[j], keys.high[j])


def blocks_of(table: Tensor, filled: bool) -> Tensor:
    """A table as (blocks, 64, 64), filled up."""
    _, _, q, k = table.shape
    padded = torch.nn.functional.pad(table, (0, -k % 64, 0, -q % 64), value=filled)
    return padded.unflatten(2, (-1, 64)).unflatten(4, (-1, 64)).transpose(3, 4).flatten(0, 3)


@EXAMPLES
@given(drawn_masks)
def test_states_never_contradict_the_table(drawn: Drawn) -> None:
    (q, k), mask = drawn
    rule, table = mask.over(BATCH, HEADS), whole(mask, q, k)
    b, h, _, queries, keys = pairs(rule, q, k)
    states = rule.blocks(b, h, queries, keys, Lengths(q, k))
    assert not (blocks_of(table, False).any((1, 2)) & ~states.some).any()
    assert not (~blocks_of(table, True).all((1, 2)) & states.every).any()


@EXAMPLES
@given(drawn_masks)
def test_nothing_is_seen_out_of_reach(drawn: Drawn) -> None:
    (q, k), mask = drawn
    rule = mask.over(BATCH, HEADS)
    b, h, block = (x.flatten() for x in torch.meshgrid(*(torch.arange(n) for n in (BATCH, HEADS, -(-q // 64))), indexing="ij"))
    queries = edges(q, k - q)
    spans = rule.reach(b, h, Edges(queries.low[block], queries.high[block]), Lengths(q, k))
    reached = torch.zeros(len(b), k, dtype=torch.bool)
    for low, high in spans:
        reached |= (torch.arange(k) >= torch.as_tensor(low).expand(len(b))[:, None]) & (
            torch.arange(k) <= torch.as_tensor(high).expand(len(b))[:, None]
        )
    seen = torch.nn.functional.pad(whole(mask, q, k), (0, 0, 0, -q % 64)).unflatten(2, (-1, 64)).any(3).flatten(0, 2)
    assert not (seen & ~reached).any()


@EXAMPLES
@given(drawn_masks)
def test_words_are_the_answers(drawn: Drawn) -> None:
    (q, k), mask = drawn
    rule = mask.over(BATCH, HEADS)
    b, h, _, queries, keys = pairs(rule, q, k)
    rows = torch.minimum(queries.low[:, None] + torch.arange(64), queries.high[:, None])
    words = rule.words(b[:, None], h[:, None], rows, keys.low[:, None], Lengths(q, k)).expand(-1, 64)
    inside = blocks_of(torch.ones(BATCH, HEADS, q, k, dtype=torch.bool), False)
    assert torch.equal(bits(words.contiguous()) & inside, blocks_of(whole(mask, q, k), False))


def sure(mask: Mask, n: int = 640) -> float:
    """The share of blocks of which everything is certain, out of those that are empty or full."""
    b, h, _, queries, keys = pairs(mask, n, n)
    states = mask.over(BATCH, HEADS).blocks(b, h, queries, keys, Lengths(n, n))
    table = blocks_of(whole(mask, n, n), False)
    plain = ~table.any((1, 2)) | table.all((1, 2))
    return float((~states.some | states.every).expand_as(plain)[plain].double().mean())


def test_structured_masks_are_sure_of_all_that_is_plain() -> None:
    ids = torch.arange(640).expand(BATCH, -1) // 100
    lengths = torch.tensor([600, 300])
    for mask in (Causal(), Window(200, 70), Sinks(70), Prefix(lengths), Padding(lengths), Padding(lengths, "left"), Blocks(150)):
        assert sure(mask) == 1
        assert sure(~mask) == 1
    for mask in (Documents(ids), Strided(300), Dilated(4, 70), BigBird(64), BigBird(32), Dense(torch.arange(640) < 300)):
        assert sure(mask) == 1
    assert sure(Causal() & (Window(128) | Sinks(4))) == 1
    assert sure(Documents(ids % 4)) > 0.6
