"""A gate of the catalogue on feature maps."""

from __future__ import annotations

from heedful.attention.mechanism import Shape, create, find
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.table import GATES
from heedful.spec.attention import MechanismSpec

PLACED: tuple[type, ...] = (PositionalWeighting, LayerwiseAdaptiveAttention)  # a weight a place, so that the side must be known


def feature_gate(spec: MechanismSpec | None, channels: int, side: int) -> Gate | None:
    """The gate that is named, on maps (b, channels, side, side); None for none.

    >>> feature_gate(MechanismSpec("se"), 8, 4)
    SqueezeExcitation(8, layout='2d', causal=False)
    """
    if spec is None or spec.name == "none":
        return None
    placed = find("gate", GATES, spec.name).kind in PLACED
    sizes = {"length": (side, side)} if placed else {}
    options = {"layout": "2d", **spec.options, **sizes}
    return create("gate", GATES, spec.name, Shape(1, 1, channels, side * side, side * side), options)
