"""An attention matrix as a picture: queries down, keys across, the weight under the pointer or the cursor read out."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.shade import Levels, Scale, levels, picture
from heedful.explanations.tokens import Thinned, thin, visible

MOST: Final = 192  # cells a side; more are thinned
PHONE: Final = 20  # labels that fit a side on a phone
DESK: Final = 44  # and on a desk
BYTES_A_CELL: Final = 2.4  # measured: the levels in base64, and the picture
BYTES_A_LABEL: Final = 200
BYTES_A_MAP: Final = 2_500
CELL: Final = 30  # pixels of a cell where there is room
ROW: Final = 13  # pixels of height that a row's name needs


@dataclass(frozen=True, slots=True)
class Style:
    """How a map is drawn.

    `scale="signed"` shows positive numbers blue and negative ones orange; the fullest shade stands for `top`, the largest
    number by default; beyond `most` cells a side a cell shows the largest of a block; `about` is a line under the title.
    """

    scale: Scale = "weights"
    top: float | None = None
    most: int = MOST
    legend: bool = True
    about: str = ""


PLAIN: Final = Style()


def heatmap(weights: Float[Tensor, "q k"], queries: Sequence[str], keys: Sequence[str], title: str, style: Style = PLAIN) -> Markup:
    """One map with the tokens of both axes: `weights` (q, k), `queries` naming its rows and `keys` its columns.

    >>> import torch
    >>> "data:image/png" in heatmap(torch.eye(2), ["a", "b"], ["a", "b"], "identity")
    True
    """
    wanted = (len(queries), len(keys))
    if tuple(weights.shape) != wanted:
        raise ShapeError(f"a map of {wanted[0]} queries and {wanted[1]} keys needs weights {wanted}: found {tuple(weights.shape)}")
    thinned = thin(weights, queries, keys, style.most)
    shown = levels(thinned.matrix, style.scale, style.top)
    caption = element("figcaption", {}, title, element("small", {}, style.about) if style.about else "")
    below = legend(shown, thinned.step) if style.legend or thinned.step > 1 else ""
    return element("figure", {"class": "map"}, caption, plot(shown, thinned, title), below, readout())


def fitting(maps: int, budget: int) -> int:
    """How many cells a side each of so many maps may have, for all to take `budget` bytes together.

    >>> fitting(1, 2_000_000), fitting(100, 1_000_000)
    (192, 28)
    """
    room = max(0, budget / max(maps, 1) - BYTES_A_MAP)
    side = (math.sqrt(BYTES_A_LABEL**2 + 4 * BYTES_A_CELL * room) - BYTES_A_LABEL) / (2 * BYTES_A_CELL)
    return max(8, min(MOST, int(side)))


def plot(shown: Levels, of: Thinned, title: str) -> Markup:
    """The picture between its labels, reachable by keyboard."""
    rows, columns = shown.bytes.shape
    picture_of = element("img", {"src": picture(shown), "alt": "", "draggable": "false"})
    field = element(
        "div",
        {
            "class": "field",
            "tabindex": 0,
            "role": "img",
            "aria-label": f"{title}: {rows} queries by {columns} keys; arrow keys move over the cells",
            "data-levels": shown.text(),
            "data-top": f"{shown.top:.6g}",
            "data-scale": shown.scale,
            "data-queries": json.dumps([visible(token) for token in of.queries], ensure_ascii=False),
            "data-keys": json.dumps([visible(token) for token in of.keys], ensure_ascii=False),
            "style": f"aspect-ratio:{columns}/{rows};min-height:{min(rows, PHONE) * ROW}px",
        },
        picture_of,
        element("div", {"class": "cursor", "hidden": True}),
    )
    width = min(columns * CELL, 620)
    return element(
        "div",
        {"class": "axes", "style": f"--width:{width}px"},
        labels(of.keys, "keys", "column"),
        labels(of.queries, "queries", "row"),
        field,
    )


def labels(tokens: Sequence[str], name: str, axis: str) -> Markup:
    """The labels of one axis, as many as can be read: fewer on a phone than on a desk."""
    desk, phone = (math.ceil(len(tokens) / room) for room in (DESK, PHONE))
    phone = math.ceil(phone / desk) * desk
    shown = [
        element("span", {"style": f"grid-{axis}:{i + 1}", "class": None if i % phone == 0 else "desk"}, visible(token))
        for i, token in enumerate(tokens)
        if i % desk == 0
    ]
    return element("div", {"class": f"labels {name}", "aria-hidden": "true", "style": f"--count:{len(tokens)}"}, join(*shown))


def legend(shown: Levels, step: int) -> Markup:
    """What the shades stand for, and what was thinned."""
    note = f"each cell is the largest of {step} × {step}" if step > 1 else ""
    return ramp(shown.top, shown.scale, note)


def ramp(top: float, scale: Scale = "weights", note: str = "") -> Markup:
    """The shades from the lowest number to the highest."""
    return element(
        "p",
        {"class": "legend"},
        "0" if scale == "weights" else f"−{top:.3g}",
        element("span", {"class": f"ramp {scale}", "aria-hidden": "true"}),
        element("span", {"class": "top"}, f"{top:.3g}"),
        element("span", {"class": "thinned"}, note) if note else "",
    )


def readout() -> Markup:
    """The line where a part says what is under the cursor."""
    return element("output", {"class": "readout", "aria-live": "polite"})
