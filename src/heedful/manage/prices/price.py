"""The price of an option at a kind of site: what a group of heads that have it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from heedful.manage.site import Site

Point = tuple[int, float]  # query heads, milliseconds


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells the costs of sites apart."""

    heads: int
    kv_heads: int
    d: int
    v: int
    causal: bool
    crossing: bool = False
    window: int | None = None

    @staticmethod
    def of(site: Site) -> Kind:
        """That of a site."""
        return Kind(site.heads, site.kv_heads, site.d, site.v, site.causal, site.kind == "cross", site.window)

    @property
    def ratio(self) -> int:
        """How many query heads read one key/value head."""
        return self.heads // self.kv_heads


class Start(NamedTuple):
    """What a layer takes before any head is computed: `within` a model, and as much of it as is in the points (`alone`; None: nothing)."""

    alone: float | None
    within: float


@dataclass(frozen=True, slots=True)
class Price:
    """A group of n query heads takes `group + head · n` milliseconds: for a pass over the whole length, or for one step.

    `layer` comes once for a layer in which any head is computed. (A step whose groups are all in one call has no cost of groups.)
    `operations` are one query head's, `bytes` one key/value head's in the cache. `points` are what was measured.

    >>> price = Price.fitted(((1, 3.0), (2, 5.0), (4, 9.0)), operations=100, bytes=10)
    >>> round(price.group, 6), round(price.head, 6), round(price.milliseconds(8), 6), price.milliseconds(0)
    (1.0, 2.0, 17.0, 0.0)
    """

    group: float
    head: float
    operations: float
    bytes: float
    points: tuple[Point, ...] = ()
    layer: float = 0.0

    @staticmethod
    def fitted(points: Sequence[Point], *, operations: float, bytes: float, start: Start | None = None) -> Price:
        """The line through the measurements, neither number below zero, nearest by ratio; `start`: what comes before, if that is known."""
        if start is None or start.alone is None:
            return Price(*line(points), operations, bytes, tuple(points), 0.0 if start is None else start.within)
        return Price(0.0, slope(points, start.alone), operations, bytes, tuple(points), start.within)

    def milliseconds(self, heads: int) -> float:
        """What so many query heads take, and nothing else of the layer."""
        return self.layer + self.group + self.head * heads if heads else 0.0


FREE = Price(0.0, 0.0, 0.0, 0.0)


def line(points: Sequence[Point]) -> tuple[float, float]:
    """Intercept and slope, neither below zero, of the least squares of ratios.

    >>> line([(1, 2.0), (2, 4.0)]), line([(1, 5.0), (4, 5.0)]), line([(3, 6.0)])
    ((0.0, 2.0), (5.0, 0.0), (0.0, 2.0))
    """
    n, time = np.array([float(heads) for heads, _ in points]), np.array([time for _, time in points])
    if len(points) == 1:
        return 0.0, float(time[0] / n[0])
    table = np.stack([1 / time, n / time], axis=1)
    group, head = (float(x) for x in np.linalg.lstsq(table, np.ones(len(n)), rcond=None)[0])
    if group < 0:
        group, head = 0.0, float((table[:, 1] / np.square(table[:, 1]).sum()).sum())
    elif head < 0:
        group, head = float((table[:, 0] / np.square(table[:, 0]).sum()).sum()), 0.0
    return rounded(group), rounded(head)


def slope(points: Sequence[Point], start: float) -> float:
    """The least squares of ratios of a line that begins at `start`; not below zero.

    >>> slope([(1, 3.0), (2, 5.0)], 1.0)
    2.0
    """
    weights = [(heads / time, 1 - start / time) for heads, time in points]
    return rounded(sum(n * left for n, left in weights) / sum(n * n for n, _ in weights))


def rounded(number: float) -> float:
    """Without what floating point adds."""
    return float(f"{number:.9g}") if number > 1e-12 else 0.0
