"""Lines over a common axis: training curves, with levels to compare them to."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from heedful.errors import UsageError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.heatmap import readout
from heedful.explanations.parts.table import number

MOST: Final = 400  # points of a line; more are thinned
NARROW: Final = 1e-6  # a share of the numbers below which they are drawn as one
KINDS: Final = 6  # colours and dashes before they come round again


@dataclass(frozen=True, slots=True)
class Line:
    """A line by its points (x, y); a level is drawn straight across."""

    name: str
    points: Sequence[tuple[float, float]]
    level: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What the axes cover, and how far apart the marks of the upright one are."""

    left: float
    right: float
    bottom: float
    top: float
    rise: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point in thousandths of the frame, from its top left corner."""
        return 1000 * (x - self.left) / (self.right - self.left), 1000 * (self.top - y) / (self.top - self.bottom)


def lines(drawn: Sequence[Line], x: str, y: str, caption: str) -> Markup:
    """A chart with both axes named; `x` and `y` say what they measure, units included.

    >>> "polyline" in lines([Line("loss", [(0, 3.0), (100, 2.0)])], "step", "nats per token", "loss by step")
    True
    """
    if not any(line.points for line in drawn):
        raise UsageError(f"the chart {caption!r} has nothing to draw: found no points; at least one would work")
    frame = frame_of(drawn)
    paths = [_path(line, index, frame) for index, line in enumerate(drawn)]
    svg = element("svg", {"viewBox": "0 0 1000 1000", "preserveAspectRatio": "none", "aria-hidden": "true"}, _rules(frame), join(*paths))
    data = {line.name: [(round(a, 6), round(b, 6)) for a, b in thinned(line.points)] for line in drawn if not line.level}
    field = element(
        "div",
        {
            "class": "field",
            "tabindex": 0,
            "role": "img",
            "aria-label": f"{caption}; arrow keys move along the lines",
            "data-lines": json.dumps(data, ensure_ascii=False),
            "data-x": x,
            "data-span": json.dumps([frame.left, frame.right]),
        },
        svg,
        element("div", {"class": "cursor", "hidden": True}),
    )
    names = [element("li", {"class": f"line{index % KINDS}"}, line.name) for index, line in enumerate(drawn)]
    return element(
        "figure",
        {"class": "chart"},
        element("figcaption", {}, caption),
        element("ul", {"class": "names"}, join(*names)),
        element("p", {"class": "measure"}, y),
        element("div", {"class": "frame"}, _ticks(frame, "y"), field, _ticks(frame, "x")),
        element("p", {"class": "measure x"}, x),
        readout(),
    )


def frame_of(drawn: Sequence[Line]) -> Frame:
    """Axes that hold every point, ending on round numbers."""
    xs = [point[0] for line in drawn if not line.level for point in line.points] or [0.0, 1.0]
    ys = [point[1] for line in drawn for point in line.points if math.isfinite(point[1])] or [0.0, 1.0]
    spread = max(max(ys) - min(ys), NARROW * max(1.0, *map(abs, ys)))
    marks = ticks(min(ys) - 0.02 * spread, max(ys) + 0.02 * spread)
    gap = marks[1] - marks[0]
    bottom = math.floor(min(ys) / gap + 1e-9) * gap
    top = math.ceil(max(ys) / gap - 1e-9) * gap
    wide = max(xs) - min(xs) > NARROW * max(1.0, *map(abs, xs))
    return Frame(min(xs), max(xs) if wide else min(xs) + 1.0, bottom, top if top > bottom else bottom + gap, gap)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers between `low` and `high`.

    >>> ticks(0, 10)
    [0, 2, 4, 6, 8, 10]
    """
    rough = (high - low) / count
    size = 10.0 ** math.floor(math.log10(rough))
    gap = next(step * size for step in (1, 2, 5, 10) if step * size >= rough * 0.999)
    first = math.ceil(low / gap - 1e-9)
    marks = [round((first + i) * gap, 10) for i in range(int((high - low) / gap + 1e-9) + 1)]
    whole = [int(mark) if mark == int(mark) else mark for mark in marks if mark <= high + 1e-9 * gap]
    return whole if len(whole) > 1 else [first * gap, (first + 1) * gap]


def rises(frame: Frame) -> list[float]:
    """The marks of the upright axis, its ends among them."""
    count = round((frame.top - frame.bottom) / frame.rise)
    marks = [round(frame.bottom + i * frame.rise, 10) for i in range(count + 1)]
    return [int(mark) if mark == int(mark) else mark for mark in marks]


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MOST` points, the last one among them."""
    step = math.ceil(len(points) / MOST)
    return [*points[:-1:step], *points[-1:]] if step > 1 else list(points)


def _path(line: Line, index: int, frame: Frame) -> Markup:
    points = [(frame.left, line.points[0][1]), (frame.right, line.points[0][1])] if line.level else thinned(line.points)
    points = points * 2 if len(points) == 1 else points  # a dot
    places = " ".join("{:.1f},{:.1f}".format(*frame.at(a, b)) for a, b in points if math.isfinite(b))
    return element("polyline", {"class": f"line{index % KINDS}", "points": places})


def _rules(frame: Frame) -> Markup:
    heights = (frame.at(frame.left, mark)[1] for mark in rises(frame))
    return join(*(element("line", {"x1": 0, "x2": 1000, "y1": f"{y:.1f}", "y2": f"{y:.1f}"}) for y in heights))


def _ticks(frame: Frame, axis: str) -> Markup:
    places = ticks(frame.left, frame.right) if axis == "x" else rises(frame)
    marks = [(mark, frame.at(mark, mark)[0 if axis == "x" else 1] / 10) for mark in places]
    side = "left" if axis == "x" else "top"
    spans = [element("span", {"style": f"{side}:{place:.2f}%"}, _tick(mark)) for mark, place in marks]
    return element("div", {"class": f"ticks {axis}", "aria-hidden": "true"}, join(*spans))


def _tick(mark: float) -> str:
    return f"{mark:,}" if isinstance(mark, int) else f"{mark:g}" if 1e-4 < abs(mark) < 1e6 else number(mark)
