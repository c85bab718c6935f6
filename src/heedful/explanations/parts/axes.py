"""What the sides of a picture measure: seconds across and hertz up, with some of their values named."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from heedful.explanations.markup import Markup, element, join

MOST: Final = 8  # values named on a side
STEPS: Final = (1.0, 2.0, 5.0, 10.0)


class Axis(NamedTuple):
    """One side: its name with the unit, and values by their share of it."""

    name: str
    ticks: tuple[tuple[float, str], ...]


class Axes(NamedTuple):
    """The side from left to right, and the one from the bottom to the top."""

    across: Axis
    up: Axis


def even(length: float, name: str, most: int = MOST) -> Axis:
    """A side from 0 to `length` with round values at equal distances.

    >>> even(1.3, "seconds").ticks[:3]
    ((0.0, '0'), (0.15384615384615385, '0.2'), (0.3076923076923077, '0.4'))
    """
    least = max(length, 1e-9) / most
    size = 10.0 ** math.floor(math.log10(least))
    step = size * next(each for each in STEPS if each * size >= least * (1 - 1e-9))
    values = [i * step for i in range(int(length / step * (1 + 1e-9)) + 1)]
    return Axis(name, tuple((value / length, f"{value:.6g}") for value in values) if length > 0 else ())


def framed(field: Markup, axes: Axes | None) -> Markup:
    """A picture with its sides beside it, where it has any."""
    if axes is None:
        return field
    sides = [
        element(
            "div", {"class": "ticks up", "aria-hidden": "true"}, name(axes.up), join(*(tick(each, "bottom") for each in axes.up.ticks))
        ),
        field,
        element(
            "div",
            {"class": "ticks across", "aria-hidden": "true"},
            join(*(tick(each, "left") for each in axes.across.ticks)),
            name(axes.across),
        ),
    ]
    return element("div", {"class": "sided"}, *sides)


def tick(value: tuple[float, str], side: str) -> Markup:
    """One value in its place."""
    return element("span", {"style": f"{side}:{value[0]:.2%}"}, value[1])


def name(axis: Axis) -> Markup:
    """What the side measures."""
    return element("i", {}, axis.name)
