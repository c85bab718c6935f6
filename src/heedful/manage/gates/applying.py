"""Gates that a plan closes in part, in a model that runs: what they shut is not computed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from jaxtyping import Int
from torch import Tensor, nn

from heedful.errors import Unsupported, UsageError
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.gate import Gate
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.layers.projection import Projection
from heedful.manage.gates.choice import Closed
from heedful.manage.gates.closing import ClosedPlaces, HandedChannels


def close(model: nn.Module, rows: Sequence[Closed], stack: ExitStack) -> None:
    """Close the gates; as they were when `stack` closes. Heads are rearranged before: their output projection is cut here.

    Errors: `UsageError` where the model has no such gate, `Unsupported` where what it closes cannot be cut out.
    """
    for row in rows:
        block = found(model, row)
        gate = block.gate
        if isinstance(gate, LayerwiseAdaptiveAttention):
            stack.callback(setattr, gate, "threshold", gate.threshold)
            gate.threshold = row.number
        elif isinstance(gate, PositionalWeighting):
            replaced(block, ClosedPlaces(gate, row.number), stack)
        elif isinstance(gate, SqueezeExcitation):
            handed(block, gate, torch.tensor(row.open, dtype=torch.long), stack)


def found(model: nn.Module, row: Closed) -> TransformerBlock:
    """The block whose gate a row is about."""
    block = dict(model.named_modules()).get(row.gate)
    if not isinstance(block, TransformerBlock) or type(block.gate).__name__ != row.kind:
        there = type(block.gate).__name__ if isinstance(block, TransformerBlock) else "no block"
        raise UsageError(f"the plan closes a {row.kind} at {row.gate}: found {there} there; `heedful plan` for this model would work")
    return block


def replaced(block: TransformerBlock, gate: Gate, stack: ExitStack) -> None:
    """Another gate in the place of the block's."""
    stack.callback(setattr, block, "gate", block.gate)
    block.gate = gate


def handed(block: TransformerBlock, gate: SqueezeExcitation, open: Int[Tensor, " n"], stack: ExitStack) -> None:
    """The attention computes the open channels alone, and beside them what the gate's mean is taken of."""
    layer = block.attention
    before = layer.get_submodule("out_proj")
    if not isinstance(before, nn.Linear):
        raise Unsupported(f"an output projection that is a {type(before).__name__} cannot be cut: nn.Linear, or no closed gate, would work")
    stack.callback(layer.register_module, "out_proj", before)
    layer.register_module("out_proj", cut(before, gate, open.to(before.weight.device)))
    replaced(block, HandedChannels(gate, open).to(before.weight.device).train(gate.training), stack)


def cut(layer: nn.Linear, gate: SqueezeExcitation, open: Int[Tensor, " n"]) -> Projection:
    """The rows of the open channels of W, and W_aᵀ W: x W_a for x = o W needs no x."""
    with torch.no_grad():
        weight = torch.cat([layer.weight[open], gate.w_a.T @ layer.weight])
        bias = None if layer.bias is None else torch.cat([layer.bias[open], gate.w_a.T @ layer.bias])
    new = Projection(1, 1, bias=bias is not None, device="meta")
    new.in_features, new.out_features = weight.shape[1], weight.shape[0]
    new.weight = nn.Parameter(weight, layer.weight.requires_grad)
    if bias is not None:
        new.bias = nn.Parameter(bias, layer.weight.requires_grad)
    return new.train(layer.training)
