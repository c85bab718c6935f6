"""One sentence through the tables of the catalogue, family by family; all but one choice stay those of scaled dot product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.linear.attention import linear_attention
from heedful.attention.linear.kernel import Kernel
from heedful.attention.linear.table import FEATURE_MAPS
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Mechanism, Shape
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.scaled_dot import ScaledDot
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.normalise import Normalise
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.explanations.weights import away, distance, entropy
from heedful.layers.gates.table import GATES
from heedful.tasks.look.examples import built, said
from heedful.tasks.look.row import Row, changed
from heedful.tasks.look.vectors import Projected


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Queries, keys and values at hand, what plain scaled dot product makes of them, and whether both sides are one sentence."""

    at: Projected
    seed: int
    alone: bool
    weights: Float[Tensor, "h q k"]
    out: Float[Tensor, "q m"]

    @property
    def shape(self) -> Shape:
        """What mechanisms are built for."""
        q, k = self.at.q, self.at.k
        return Shape(heads=q.shape[1], kv_heads=k.shape[1], d=q.shape[3], q=q.shape[2], k=k.shape[2])


def reading(at: Projected, seed: int, alone: bool) -> Reading:
    """The reference for every row."""
    out, weights = attend(at.q, at.k, at.v, return_weights=True)
    return Reading(at, seed, alone, weights[0], joined(out))


def rows(of: Reading, x: Float[Tensor, "1 t m"]) -> Iterator[Row]:
    """Every row of the catalogue that this reading has a meaning for: between two sentences no masks, positions or gates."""
    yield from scores(of)
    yield from weightings(of)
    yield from linear(of)
    if of.alone:
        yield from masks(of)
        yield from positions(of)
        yield from gates(of, x)


def scores(of: Reading) -> Iterator[Row]:
    """Each score under softmax, no mask."""
    for row in SCORES:
        score = built("score", SCORES, row, of.shape, of.seed)
        yield compared("score", row, of, *attend(*of.at, score=score, return_weights=True))


def weightings(of: Reading) -> Iterator[Row]:
    """Each weighting over scaled dot products."""
    for row in WEIGHTINGS:
        weighting = built("weighting", WEIGHTINGS, row, of.shape, of.seed)
        score = Kernel() if isinstance(weighting, Normalise) else ScaledDot()
        note = "over φ(q) · φ(k), φ = elu + 1: scores must not be negative" if isinstance(weighting, Normalise) else ""
        yield compared("weighting", row, of, *attend(*of.at, score=score, weighting=weighting, return_weights=True), note=note)


def linear(of: Reading) -> Iterator[Row]:
    """Each feature map: the weights that linear attention has and never writes down, and its output."""
    for row in FEATURE_MAPS:
        phi = built("feature map", FEATURE_MAPS, row, of.shape, of.seed)
        _, weights = attend(*of.at, score=Kernel(phi), weighting="normalise", return_weights=True)
        yield compared("linear", row, of, linear_attention(*of.at, feature_map=phi), weights)


def masks(of: Reading) -> Iterator[Row]:
    """Each mask over scaled dot products."""
    for row in MASKS:
        mask = built("mask", MASKS, row, of.shape, of.seed)
        share = f"{mask.density(of.shape.q, of.shape.k):.0%} of the pairs".replace("%", " %")
        yield compared("mask", row, of, *attend(*of.at, mask=mask, return_weights=True), note=share)


def positions(of: Reading) -> Iterator[Row]:
    """Each position scheme under scaled dot products."""
    for row in POSITIONS:
        position = built("position", POSITIONS, row, of.shape, of.seed)
        yield compared("position", row, of, *attend(*of.at, position=position, return_weights=True))


def gates(of: Reading, x: Float[Tensor, "1 t m"]) -> Iterator[Row]:
    """Each gate on the stream of tokens itself: there is no A, only what the gate changes."""
    shape = Shape(heads=1, kv_heads=1, d=x.shape[2], q=x.shape[1], k=x.shape[1])
    for row in GATES:
        gate = built("gate", GATES, row, shape, of.seed)
        with torch.no_grad():
            out, values = gate(x), gate.gate(x)
        note = f"gate {float(values.min()):.2f} to {float(values.max()):.2f}"
        yield Row("gate", row.name, row.formula, row.source, row.article, None, out[0], changed(out, x), note=note)


def compared(family: str, row: Mechanism[Any], of: Reading, out: Tensor, weights: Tensor, note: str = "") -> Row:
    """What came out beside the reference."""
    a, flat = weights[0].detach(), joined(out.detach())
    far = distance(a) if of.alone else None
    facts = (row.name, row.formula, row.source, row.article)
    note = "; ".join(part for part in (said(row, of.shape), note) if part)
    return Row(family, *facts, a, flat, changed(flat, of.out), entropy(a), far, away(a, of.weights), note)


def joined(out: Float[Tensor, "1 h q v"]) -> Float[Tensor, "q m"]:
    """The heads side by side."""
    return rearrange(out, "1 h q v -> q (h v)")
