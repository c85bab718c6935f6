"""The calls that every backend is asked to serve: every value of every option, and every pair of values, at least once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Shape, find
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS

FACTORS: Mapping[str, tuple[Any, ...]] = {
    "score": tuple(row.name for row in SCORES),
    "mask": (None, *(row.name for row in MASKS)),
    "position": (None, *(row.name for row in POSITIONS)),
    "weighting": tuple(row.name for row in WEIGHTINGS if row.name != "normalise"),  # normalise takes scores >= 0 only
    "groups": (1, 2, 4),
    "lengths": ((7, 7), (3, 8), (9, 5), (1, 6)),
    "softcap": (None, 2.0),
    "sinks": (False, True),
    "temperature": (None, 0.7, "per head"),
    "bias": (None, "full", "keys"),
}
HEADS, WIDTH, BATCH = 4, 8, 2


@dataclass(frozen=True)
class Case:
    """One call: the name of each mechanism and the value of each option."""

    values: tuple[Any, ...]

    def __getitem__(self, factor: str) -> Any:
        return self.values[list(FACTORS).index(factor)]

    def __str__(self) -> str:
        plain = {"mask": None, "position": None, "softcap": None, "sinks": False, "temperature": None, "bias": None}
        return "-".join(str(self[f]).replace(" ", "") for f in FACTORS if f not in plain or self[f] != plain[f])


def pairwise() -> Iterator[Case]:
    """A greedy covering array: each pair of values of any two factors stands together in some case that can exist."""
    names = list(FACTORS)
    used: Counter[tuple[str, Any]] = Counter()
    wanted = {
        (i, x, j, y)
        for i, j in itertools.combinations(range(len(names)), 2)
        for x in FACTORS[names[i]]
        for y in FACTORS[names[j]]
        if possible({names[i]: x, names[j]: y})
    }
    while wanted:
        i, x, j, y = min(wanted, key=str)
        chosen: dict[str, Any] = {names[i]: x, names[j]: y}
        for name in names:
            if name not in chosen:
                options = [v for v in FACTORS[name] if possible({**chosen, name: v})]
                chosen[name] = max(options, key=lambda v: (gain(wanted, names, {**chosen, name: v}), -used[name, v], str(v)))
        case = Case(tuple(chosen[name] for name in names))
        wanted -= pairs(names, chosen)
        used.update(chosen.items())
        yield case


def pairs(names: list[str], chosen: Mapping[str, Any]) -> set[tuple[int, Any, int, Any]]:
    """The pairs of values that a partial case holds."""
    return {(i, chosen[a], j, chosen[b]) for (i, a), (j, b) in itertools.combinations(enumerate(names), 2) if a in chosen and b in chosen}


def gain(wanted: set[tuple[int, Any, int, Any]], names: list[str], chosen: Mapping[str, Any]) -> int:
    """How many pairs still wanted this partial case would cover."""
    return len(wanted & pairs(names, chosen))


def possible(chosen: Mapping[str, Any]) -> bool:
    """What is refused, each with a test of its own: sinks where weights do not sum to one, and, with more queries than
    keys, queries that have no document and no learned place."""
    if chosen.get("weighting") == "sigmoid" and chosen.get("sinks"):
        return False
    return not (chosen.get("lengths") == (9, 5) and (chosen.get("mask") == "documents" or chosen.get("position") == "learned"))


def shape_of(case: Case) -> Shape:
    """The sizes that a case builds its mechanisms for."""
    q, k = case["lengths"]
    return Shape(heads=HEADS, kv_heads=HEADS // case["groups"], d=WIDTH, q=max(q, k), k=max(q, k), batch=BATCH)


def options_of(case: Case, dtype: torch.dtype) -> dict[str, Any]:
    """The options of `attend` for a case, parameters drawn at random so that every term is seen."""
    shape, (q, k) = shape_of(case), case["lengths"]
    gen = torch.Generator().manual_seed(7)
    random = lambda *size: torch.randn(*size, generator=gen, dtype=torch.float64).to(dtype)  # noqa: E731
    score = randomised(find("score", SCORES, case["score"]).build(shape, {}), dtype, gen)
    place = case["position"]
    weighting = case["weighting"]
    return {
        "score": score,
        "mask": None
        if case["mask"] is None
        else find("mask", MASKS, case["mask"]).build(Shape(HEADS, shape.kv_heads, WIDTH, q, k, BATCH), {}),
        "position": None if place is None else randomised(find("position", POSITIONS, place).build(shape, {}), dtype, gen),
        "weighting": find("weighting", WEIGHTINGS, weighting).build(shape, {}),
        "softcap": case["softcap"],
        "sink_logits": random(HEADS) if case["sinks"] else None,
        "temperature": random(HEADS).abs() + 0.5 if case["temperature"] == "per head" else case["temperature"],
        "bias": {None: None, "full": random(BATCH, HEADS, q, k), "keys": random(k)}[case["bias"]],
    }


def randomised(module: torch.nn.Module, dtype: torch.dtype, gen: torch.Generator) -> torch.nn.Module:
    """The module in `dtype`, its parameters drawn anew: tables that start at zero would hide what they do."""
    module = module.to(dtype)
    for parameter in module.parameters():
        drawn = 0.5 * torch.randn(parameter.shape, generator=gen, dtype=torch.float64)
        parameter.data.copy_(drawn.to(dtype))
    return module


def tensors_of(case: Case, dtype: torch.dtype, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    """q, k and v for a case, drawn in float64 and rounded to `dtype`."""
    gen = torch.Generator().manual_seed(seed)
    q, k = case["lengths"]
    groups = HEADS // case["groups"]
    sizes = ((BATCH, HEADS, q, WIDTH), (BATCH, groups, k, WIDTH), (BATCH, groups, k, WIDTH))
    drawn = (torch.randn(*size, generator=gen, dtype=torch.float64).to(dtype) for size in sizes)
    q_, k_, v_ = (x.requires_grad_() for x in drawn)
    return q_, k_, v_


CASES = tuple(pairwise())
