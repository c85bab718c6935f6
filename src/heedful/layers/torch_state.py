"""The state of torch.nn.MultiheadAttention, into our layer and out of it, value for value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from heedful.errors import ShapeError, Unsupported
from heedful.layers.attention import PROJECTIONS

if TYPE_CHECKING:
    from heedful.layers.multihead import MultiHeadAttention

Shapes = Mapping[str, tuple[int, ...]]

EXTRA_KEYS = ("bias_k", "bias_v")
NAMES = (*PROJECTIONS, "out_proj.weight", "out_proj.bias", *EXTRA_KEYS)


def load(layer: MultiHeadAttention, state: Mapping[str, Tensor]) -> None:
    """Copy every value of `state`, or none of them."""
    held = held_by(layer)
    wanted = {name: tuple(tensor.shape) for name, tensor in held.items() if name not in EXTRA_KEYS}
    if any(name in state for name in EXTRA_KEYS):
        wanted |= dict.fromkeys(EXTRA_KEYS, (1, 1, layer.widths.shared))
    check_shapes(layer, wanted, {name: tuple(tensor.shape) for name, tensor in state.items()})
    with torch.no_grad():
        layer.bias_k, layer.bias_v = (nn.Parameter(layer.out_proj.weight.new_empty(wanted[n])) if n in state else None for n in EXTRA_KEYS)
        for name, tensor in held_by(layer).items():
            tensor.copy_(state[name])


def check_shapes(layer: MultiHeadAttention, wanted: Shapes, found: Shapes) -> None:
    """Refuse a state that lacks a tensor, has one too many or one of another shape."""
    wrong = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    if wrong:
        told = "; ".join(f"{name} {found.get(name, 'missing')} where {wanted.get(name, 'none')} fits" for name in wrong)
        raise ShapeError(
            f"this state is not of a layer {layer.extra_repr()}: {told}; MultiHeadAttention.from_torch(mha) makes one that fits"
        )


def of(layer: MultiHeadAttention) -> dict[str, Tensor]:
    """The layer's state in torch's names, detached."""
    w, ours = layer.widths, dict(layer.named_parameters())
    beyond = sorted(set(ours) - set(NAMES))
    if beyond:
        raise Unsupported(f"nn.MultiheadAttention has no place for {', '.join(beyond)}: save this layer with state_dict()")
    if w.kv_heads != w.heads or w.query != w.dim:
        raise Unsupported(f"nn.MultiheadAttention has as many key heads as heads, {w.dim} wide together: found {layer.extra_repr()}")
    if (layer.in_proj_bias is None) != (layer.out_proj.bias is None):
        raise Unsupported("nn.MultiheadAttention has biases on both projections or on none: found one of the two")
    return {name: tensor.detach() for name, tensor in held_by(layer).items()}


def held_by(layer: MultiHeadAttention) -> dict[str, Tensor]:
    """The layer's parameters that torch's layer has too, in torch's order."""
    ours = dict(layer.named_parameters())
    return {name: ours[name] for name in NAMES if name in ours}
