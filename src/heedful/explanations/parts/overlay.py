"""A picture or a spectrogram under the shades of its cells, to be gone over by pointer or keys, the number of each cell read out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from jaxtyping import Float, UInt8
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.axes import Axes, framed
from heedful.explanations.parts.heatmap import ramp, readout
from heedful.explanations.parts.photograph import address, shade
from heedful.explanations.parts.table import table
from heedful.explanations.shade import levels

LISTED: Final = 20  # cells whose numbers are listed
SHARPEST: Final = 24  # pixels up to which a side is shown pixel by pixel


class Cover(NamedTuple):
    """What is laid over a picture, and its name: a word, say, and how much it read of each cell."""

    name: str
    values: Float[Tensor, "y x"]


@dataclass(frozen=True, slots=True)
class Laying:
    """How maps lie over a picture.

    Arguments:
        names: what its cells are called, in reading order.
        axes: what its sides measure, where they measure anything.
        signed: blue is above 0 and orange below; else one colour, the more the larger.
        shaded: whether colours may be shown at all.
        about: a line under the title; `outlines`: what is drawn over all of it, such as boxes.
    """

    names: Sequence[str]
    axes: Axes | None = None
    signed: bool = False
    shaded: bool = True
    about: str = ""
    outlines: tuple[Markup, ...] = ()


def cells(rows: int, columns: int) -> list[str]:
    """What the cells of a picture are called.

    >>> cells(1, 2)
    ['row 1, column 1', 'row 1, column 2']
    """
    return [f"row {y + 1}, column {x + 1}" for y in range(rows) for x in range(columns)]


def overlay(pixels: UInt8[Tensor, "c h w"], layers: Sequence[Cover], title: str, how: Laying) -> Markup:
    """A grey or coloured picture under one of several maps of its cells, a button each where there is more than one.

    >>> import torch
    >>> pixels, map = torch.zeros(1, 4, 4, dtype=torch.uint8), Cover("what counted", torch.eye(2))
    >>> shown = overlay(pixels, [map], "a four", Laying(["1·1", "1·2", "2·1", "2·2"]))
    >>> "arrow keys move over the cells" in shown, "<details>" in shown
    (True, True)

    Errors: `ShapeError` for maps of other cells than have names.
    """
    shape = tuple(layers[0].values.shape) if layers else (0, 0)
    if not layers or any(tuple(each.values.shape) != shape for each in layers) or shape[0] * shape[1] != len(how.names):
        raise ShapeError(f"{len(how.names)} cells need maps of as many: found {[tuple(each.values.shape) for each in layers]}")
    caption = element("figcaption", {}, title, element("small", {}, how.about) if how.about else "")
    buttons = chooser(layers, how) if len(layers) > 1 else ""
    top = float(layers[0].values.abs().max())
    legend = scale(top, how.signed) if how.shaded else ""
    kind = "overlaid long" if how.axes is not None else "overlaid"
    shown = framed(field(pixels, layers[0], title, how), how.axes)
    return element("figure", {"class": kind}, caption, buttons, shown, legend, readout(), numbers(layers, how))


def field(pixels: UInt8[Tensor, "c h w"], layer: Cover, title: str, how: Laying) -> Markup:
    """The picture and what lies over it, reachable by keyboard."""
    rows, columns = layer.values.shape
    sharp = "pixelated" if max(pixels.shape[1:]) <= SHARPEST or how.axes is None else "auto"
    below = element("img", {"src": address(pixels), "alt": "", "draggable": "false", "style": f"image-rendering:{sharp}"})
    above = element("img", {"src": above_of(layer, how), "alt": "", "class": "above", "draggable": "false"})
    known = {
        "class": "cells",
        "tabindex": 0,
        "role": "img",
        "aria-label": f"{title}: {rows} by {columns} cells; arrow keys move over the cells",
        "data-names": json.dumps([name.strip() for name in how.names], ensure_ascii=False),
        "data-columns": columns,
        "data-scale": "signed" if how.signed else "weights",
        **told(layer, how),
        "style": None if how.axes is not None else f"aspect-ratio:{pixels.shape[2]}/{pixels.shape[1]}",
    }
    return element("div", known, below, above, *how.outlines, element("div", {"class": "cursor", "hidden": True}))


def above_of(layer: Cover, how: Laying) -> str:
    """A map as a picture that can be seen through; where it may not be shaded, nothing."""
    values = layer.values if how.signed else layer.values - layer.values.min()  # what is read everywhere would hide the picture
    return address(shade(values * float(how.shaded), how.signed))


def told(layer: Cover, how: Laying) -> dict[str, str]:
    """The numbers of a map, to a 255th of the largest."""
    shown = levels(layer.values, "signed" if how.signed else "weights")
    return {"data-levels": shown.text(), "data-top": f"{shown.top:.6g}", "data-layer": layer.name}


def chooser(layers: Sequence[Cover], how: Laying) -> Markup:
    """A button a map; the first is shown."""
    buttons = [
        element(
            "button",
            {"type": "button", "aria-pressed": "true" if i == 0 else "false", "data-above": above_of(each, how), **told(each, how)},
            each.name.strip() or each.name,
        )
        for i, each in enumerate(layers)
    ]
    return element("div", {"class": "chooser", "role": "group", "aria-label": "What is laid over the picture"}, join(*buttons))


def scale(top: float, signed: bool) -> Markup:
    """What the shades stand for."""
    if signed:
        return ramp(top, "signed")
    return element(
        "p",
        {"class": "legend"},
        "least",
        element("span", {"class": "ramp warm", "aria-hidden": "true"}),
        element("span", {"class": "top"}, f"{top:.3g}"),
    )


def numbers(layers: Sequence[Cover], how: Laying) -> Markup:
    """The largest cells of the one map, or the largest of each, as a table on demand."""
    if len(layers) == 1:
        flat = layers[0].values.flatten().double()
        order = flat.abs().argsort(descending=True, stable=True)[:LISTED].tolist()
        rows: list[tuple[str, object, object]] = [(how.names[i].strip(), i + 1, float(flat[i])) for i in order]
        listed = table(("cell", "place", "number"), rows, layers[0].name)
    else:
        best = [(each.name.strip(), int(each.values.argmax()), float(each.values.max())) for each in layers]
        listed = table(
            ("word", "most at", "share"), [(name, how.names[at].strip(), share) for name, at, share in best], "Where each looked most"
        )
    return element("details", {}, element("summary", {}, "Numbers"), listed)
