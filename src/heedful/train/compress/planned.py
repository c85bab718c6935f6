"""A plan and a cut together: the heads that a plan drops are cut out, and what it says of the others goes with the smaller model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from heedful.manage.objective import model_hash
from heedful.manage.plan import DROP, Plan
from heedful.manage.watch import sites
from heedful.train.compress.layer import Layer

Who = tuple[list[int], list[int]]


def heads_of_plan(plan: Plan, layers: Sequence[Layer]) -> list[Who]:
    """The query and key/value heads that a plan leaves, layer by layer.

    Query heads stay evenly spread over the key/value heads, so that some that are dropped may have to stay (and are dropped
    by the plan still); a layer without any keeps one.
    """
    return [heads_of_row(row, layer) for row, layer in zip(plan.choices, layers, strict=True)]


def heads_of_row(row: Sequence[str], layer: Layer) -> Who:
    """The same for one layer.

    >>> heads_of_row(("full", "drop", "drop", "drop"), Layer("out", "down", heads=4, kv_heads=2, d=8, channels=8))
    ([0], [0])
    >>> heads_of_row(("full", "full", "full", "drop"), Layer("out", "down", heads=4, kv_heads=2, d=8, channels=8))
    ([0, 1, 2, 3], [0, 1])
    """
    each = layer.shared
    groups = [list(range(group * each, (group + 1) * each)) for group in range(layer.kv_heads)]
    wanted = [[head for head in group if row[head] != DROP] for group in groups]
    number = max(1, *(len(group) for group in wanted))
    kept = [group for group in range(layer.kv_heads) if wanted[group]] or [0]
    heads = [sorted((wanted[group] + [head for head in groups[group] if row[head] == DROP])[:number]) for group in kept]
    return [head for group in heads for head in group], kept


def carried(plan: Plan, heads: Sequence[Sequence[int]], small: nn.Module) -> Plan:
    """The plan for the smaller model: of each layer the choices and reasons of the heads that stayed."""
    return replace(
        plan,
        model=model_hash(small),
        sites=sites(small),
        choices=tuple(tuple(row[head] for head in who) for row, who in zip(plan.choices, heads, strict=True)),
        reasons=tuple(tuple(row[head] for head in who) for row, who in zip(plan.reasons, heads, strict=True)),
        notes=(*plan.notes, "the heads that it drops were cut out of the model"),
    )
