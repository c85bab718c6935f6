"""Mechanisms by name, built for a layer's shape: what a layer takes as `score="biased"` becomes a `Biased` that fits it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Mechanism, Shape, create
from heedful.attention.positions.position import Position
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.score import Score
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.attention.weightings.weighting import Weighting
from heedful.layers.widths import Widths

T = TypeVar("T")


def shape_of(widths: Widths, max_length: int) -> Shape:
    """The shape that parametric rows are built for."""
    return Shape(heads=widths.heads, kv_heads=widths.kv_heads, d=widths.head_dim, q=max_length, k=max_length)


def score(given: Score | str, shape: Shape) -> Score:
    """The score itself, or the row of that name."""
    return built("score", SCORES, given, shape) if isinstance(given, str) else given


def mask(given: Mask | str | None, shape: Shape) -> Mask | None:
    """The mask itself, or the row of that name."""
    return built("mask", MASKS, given, shape) if isinstance(given, str) else given


def position(given: Position | str | None, shape: Shape) -> Position | None:
    """The position scheme itself, or the row of that name."""
    return built("position", POSITIONS, given, shape) if isinstance(given, str) else given


def weighting(given: Weighting | str, shape: Shape) -> Weighting:
    """The weighting itself, or the row of that name."""
    return built("weighting", WEIGHTINGS, given, shape) if isinstance(given, str) else given


def built(family: str, table: Sequence[Mechanism[T]], name: str, shape: Shape) -> T:
    """The row `name` as it would be for `shape`."""
    return create(family, table, name, shape, {})
