"""Every head of every layer as a small map; the chosen one stands above, large and labelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.heatmap import BYTES_A_CELL, MOST, legend, plot, readout
from heedful.explanations.shade import levels, picture
from heedful.explanations.tokens import Thinned, thin

BYTES: Final = 700_000  # of the page, for all the maps of one grid


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one layer's heads (h, q, k), its name, and a note on each head."""

    name: str
    weights: Float[Tensor, "h q k"]
    notes: Sequence[str] = ()


def heads(layers: Sequence[Layer], queries: Sequence[str], keys: Sequence[str], chosen: tuple[int, int] = (0, 0)) -> Markup:
    """A grid of layers by heads; one chosen by pointer or keyboard is shown large, at first the layer and head of `chosen`.

    The maps of a grid share 700 kB, so many heads of a long text are thinned, and the legend says how far.
    """
    maps = sum(layer.weights.shape[0] for layer in layers)
    if maps == 0:
        raise ShapeError("a grid of heads needs at least one layer with one head: found none")
    most = min(MOST, max(8, math.isqrt(int(BYTES / BYTES_A_CELL / maps))))
    layer, head = layers[chosen[0]], chosen[1]
    first = thin(layer.weights[head], queries, keys, most)
    shown = levels(first.matrix)
    title = f"{layer.name}, head {head + 1}"
    large = element(
        "figure",
        {"class": "map"},
        element("figcaption", {"aria-live": "polite"}, title),
        plot(shown, first, title),
        legend(shown, first.step),
        readout(),
    )
    rows = [_layer(layer, chosen[1] if index == chosen[0] else None, queries, keys, most) for index, layer in enumerate(layers)]
    return element("div", {"class": "heads"}, large, element("div", {"class": "grid"}, join(*rows)))


def _layer(layer: Layer, chosen: int | None, queries: Sequence[str], keys: Sequence[str], most: int) -> Markup:
    small = [_small(layer, head, thin(weights, queries, keys, most), chosen=head == chosen) for head, weights in enumerate(layer.weights)]
    return join(element("h4", {}, layer.name), element("div", {"class": "row"}, join(*small)))


def _small(layer: Layer, head: int, of: Thinned, chosen: bool) -> Markup:
    shown = levels(of.matrix)
    note = layer.notes[head] if layer.notes else ""
    attributes = {
        "type": "button",
        "aria-pressed": "true" if chosen else "false",
        "aria-label": f"{layer.name}, head {head + 1}" + (f", {note}" if note else ""),
        "data-title": f"{layer.name}, head {head + 1}" + (f": {note}" if note else ""),
        "data-levels": shown.text(),
        "data-top": f"{shown.top:.6g}",
    }
    image = element("img", {"src": picture(shown), "alt": "", "class": "pixels"})
    words = join(element("span", {}, f"head {head + 1}"), element("small", {}, note))
    return element("button", attributes, element("div", {"class": "well"}, image), words)
