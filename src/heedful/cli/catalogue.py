"""The catalogue as data: every row of every family's table, and which backends serve it, asked one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from heedful.attention.linear.table import FEATURE_MAPS
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Mechanism, Shape
from heedful.attention.positions.table import POSITIONS
from heedful.attention.resolve import Options
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.attention.why import why
from heedful.layers.gates.table import GATES

EXAMPLE = Shape(heads=2, kv_heads=2, d=8, q=6, k=6)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue; `backends` is empty where a mechanism does not go through `attend`."""

    family: str
    name: str
    formula: str
    source: str
    backends: tuple[str, ...]
    article: str
    cost: str
    aliases: tuple[str, ...]


def catalogue() -> Iterator[Entry]:
    """Every mechanism, family by family, in the order of the tables."""
    yield from (entry("score", row, able({"score": row.build(EXAMPLE, {})})) for row in SCORES)
    yield from (entry("mask", row, able({"mask": row.build(EXAMPLE, {})})) for row in MASKS)
    yield from (entry("position", row, able({"position": row.build(EXAMPLE, {})})) for row in POSITIONS)
    yield from (entry("weighting", row, able({"weighting": row.build(EXAMPLE, {})})) for row in WEIGHTINGS)
    for family, table in OTHERS:
        yield from (entry(family, row, ()) for row in table)


OTHERS: tuple[tuple[str, Sequence[Mechanism[Any]]], ...] = (("feature map", FEATURE_MAPS), ("gate", GATES))


def entry(family: str, row: Mechanism[Any], backends: tuple[str, ...]) -> Entry:
    """A table's row as an entry."""
    return Entry(family, row.name, row.formula, row.source, backends, row.article, row.cost, row.aliases)


def able(options: Options) -> tuple[str, ...]:
    """The backends that serve a plain call with these options."""
    q = torch.zeros(EXAMPLE.batch, EXAMPLE.heads, EXAMPLE.q, EXAMPLE.d)
    return tuple(reason.backend for reason in why(q, q, q, **options) if reason.reason is None)
