"""Milliseconds of a kernel as a function of sizes: a sum of rates, corrected by what was measured near by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from heedful.cost.attention import Sizes

RATES = ("call", "row", "table", "pair", "far", "product", "byte")
CACHED = 1 << 20  # pairs whose scores stay near; those beyond are "far"
Numbers = NDArray[np.float64]
NEAR = 0.25  # octaves: two sizes nearer than that are one


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement."""

    sizes: Sizes
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Model:
    """Nanoseconds of each of `RATES`: of a call, a row of queries, an entry of the mask's table, a computed pair, one
    more for each beyond `CACHED`, a multiply-add of the products, a byte of the operands; and how far the measurements are from that sum.

    >>> s = Sizes(b=1, h=8, g=8, q=1000, k=1000, d=64, v=64)
    >>> round(Model((1e4, 0, 0, 0, 0, 0.01, 0)).milliseconds(s), 2)
    10.25
    """

    rates: tuple[float, ...]
    places: tuple[tuple[float, ...], ...] = ()
    corrections: tuple[float, ...] = ()

    def milliseconds(self, sizes: Sizes) -> float:
        """The sum of the rates, times the correction of the measurements near by, the nearer the more."""
        plain = sum(rate * amount for rate, amount in zip(self.rates, amounts(sizes), strict=True)) / 1e6
        if not self.places:
            return plain
        at = place(sizes)
        shares = [1.0 / (NEAR**2 + math.dist(at, other) ** 2) ** 2 for other in self.places]
        mean = sum(share * log for share, log in zip(shares, self.corrections, strict=True)) / sum(shares)
        return plain * math.exp(mean)


def amounts(s: Sizes) -> tuple[float, ...]:
    """How much there is of each of `RATES`."""
    pairs = s.b * s.h * s.q * s.k * s.density
    return 1.0, float(s.b * s.h * s.q), float(s.q * s.k), pairs, max(pairs - CACHED, 0.0), pairs * (s.d + s.v), float(sum(s.operands))


def place(s: Sizes) -> tuple[float, ...]:
    """Where sizes stand, in octaves: parallel heads, queries, keys, width, and the share that is computed."""
    return (
        math.log2(max(s.b * s.h, 1)),
        math.log2(max(s.q, 1)),
        math.log2(max(s.k, 1)),
        math.log2(max(s.d + s.v, 1)),
        math.log2(max(s.density, 1e-6)),
    )


def fitted(points: Sequence[Point]) -> Model:
    """The rates, none below zero, that come nearest to the measurements by ratio, and what they leave."""
    measured = np.array([1e6 * point.milliseconds for point in points])
    table = np.array([amounts(point.sizes) for point in points])
    rates = positive(table / measured[:, None])
    modelled = np.maximum(table @ rates, 1.0)
    logs = np.log(measured / modelled)
    return Model(tuple(map(float, rates)), tuple(place(point.sizes) for point in points), tuple(map(float, logs)))


def positive(table: Numbers) -> Numbers:
    """The coefficients, none below zero, whose sums over the rows of `table` come nearest to one.

    Each set of columns is tried: there are few.
    """
    best, least = np.zeros(table.shape[1]), math.inf
    scale = np.maximum(np.abs(table).max(0), 1e-30)
    for count in range(1, min(table.shape) + 1):
        for columns in map(list, combinations(range(table.shape[1]), count)):
            found, *_ = np.linalg.lstsq(table[:, columns] / scale[columns], np.ones(len(table)), rcond=None)
            if (found < 0).any():
                continue
            left = float(np.square(table[:, columns] @ (found / scale[columns]) - 1.0).sum())
            if left < least * (1 - 1e-9):
                least, best = left, np.zeros(table.shape[1])
                best[columns] = found / scale[columns]
    return best
