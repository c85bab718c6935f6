"""Spans of positions, and what a rule says of whole blocks of pairs without asking about each."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

BLOCK = 64


class Span(NamedTuple):
    """Positions `low` to `high`, both among them; none where `high` is less than `low`."""

    low: Int[Tensor, "..."] | int
    high: Int[Tensor, "..."] | int


class Edges(NamedTuple):
    """The first and the last position of blocks."""

    low: Int[Tensor, "..."]
    high: Int[Tensor, "..."]


class States(NamedTuple):
    """What blocks of pairs hold: `some` is False where certainly none is allowed, `every` is True where certainly all are."""

    some: Bool[Tensor, "..."]
    every: Bool[Tensor, "..."]


def unknown(edges: Edges) -> States:
    """Nothing certain about any block."""
    return States(torch.ones_like(edges.low, dtype=torch.bool), torch.zeros_like(edges.low, dtype=torch.bool))


def states(first: Span, last: Span, k: Edges) -> States:
    """The states of blocks whose first query sees the span `first`, whose last one `last`, and the others spans between these."""
    some = (k.high >= first.low) & (k.low <= last.high)
    return States(some, (k.low >= last.low) & (k.high <= first.high))


def both(one: Span, other: Span) -> Span:
    """What two spans share."""
    return Span(_larger(one.low, other.low), _smaller(one.high, other.high))


def multiples(q: Edges, k: Edges, step: int) -> Bool[Tensor, "..."]:
    """Whether any pair of a block has a distance that is a multiple of `step`."""
    return (q.high - k.low) // step * step >= q.low - k.high


def _larger(one: Tensor | int, other: Tensor | int) -> Tensor | int:
    if isinstance(one, int):
        return max(one, other) if isinstance(other, int) else other.clamp(min=one)
    return one.clamp(min=other) if isinstance(other, int) else torch.maximum(one, other)


def _smaller(one: Tensor | int, other: Tensor | int) -> Tensor | int:
    if isinstance(one, int):
        return min(one, other) if isinstance(other, int) else other.clamp(max=one)
    return one.clamp(max=other) if isinstance(other, int) else torch.minimum(one, other)
