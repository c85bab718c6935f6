"""What may be done to a gate of a block, and a block in which it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import Unsupported
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.manage.gates.closing import ClosedChannels, ClosedPlaces

THRESHOLDED = (SqueezeExcitation, PositionalWeighting, LayerwiseAdaptiveAttention)


@final
@dataclass(frozen=True)
class Treatment:
    """`kept`; `removed`; or `threshold`: closed where the gate's mean (channels) or value (tokens) is under the number.

    >>> Treatment("threshold", 0.25).name, Treatment("removed").name
    ('threshold(0.25)', 'removed')
    """

    kind: Literal["kept", "threshold", "removed"]
    number: float = 0.0

    @property
    def name(self) -> str:
        """How it is written."""
        return f"threshold({self.number:.4g})" if self.kind == "threshold" else self.kind


def gated_blocks(model: nn.Module) -> dict[str, TransformerBlock]:
    """The blocks of a model that have a gate, by name."""
    return {name: each for name, each in model.named_modules() if isinstance(each, TransformerBlock) and each.gate is not None}


@contextmanager
def treated(block: TransformerBlock, treatment: Treatment, levels: Float[Tensor, " n"] | None = None) -> Iterator[None]:
    """Within it the block's gate is treated; as before at the end. `levels`: the channels' mean gates, which a threshold needs.

    Raises `Unsupported` for a threshold on a gate that has none.
    """
    gate = block.gate
    before = gate.threshold if isinstance(gate, LayerwiseAdaptiveAttention) else 0.0
    try:
        if treatment.kind == "removed":
            block.gate = None
        elif treatment.kind == "threshold" and isinstance(gate, LayerwiseAdaptiveAttention):
            gate.threshold = treatment.number
        elif treatment.kind == "threshold":
            block.gate = closed(gate, treatment.number, levels)
        yield
    finally:
        block.gate = gate
        if isinstance(gate, LayerwiseAdaptiveAttention):
            gate.threshold = before


def closed(gate: Gate | None, threshold: float, levels: Float[Tensor, " n"] | None) -> Gate:
    """A gate that computes only what is above the threshold."""
    if isinstance(gate, SqueezeExcitation) and levels is not None:
        return ClosedChannels(gate, (levels >= threshold).nonzero().flatten())
    if isinstance(gate, PositionalWeighting):
        return ClosedPlaces(gate, threshold)
    names = ", ".join(kind.__name__ for kind in THRESHOLDED)
    raise Unsupported(f"{type(gate).__name__} has no threshold under which something can be left out: {names} have one")


def levels_of(gate: Gate, x: Float[Tensor, "b t m"]) -> Float[Tensor, " n"]:
    """What a threshold is compared with, of one input: mean gates of channels, or each token's value."""
    with torch.no_grad():
        found = gate.gate(x)
    if isinstance(gate, SqueezeExcitation):
        return found.mean((0, 1))
    return found.abs().flatten()
