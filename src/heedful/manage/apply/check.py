"""What a planned layer refuses, by name and with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.select import Select
from heedful.errors import ShapeError, Unsupported
from heedful.layers.cache.cache import Past
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.stepping import check_mask
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.site import Site

if TYPE_CHECKING:
    from heedful.manage.apply.attention import PlannedAttention


def check_layer(layer: MultiHeadAttention, site: Site) -> None:
    """Refuse a layer whose heads cannot be taken apart."""
    reason = inseparable(layer)
    if reason is not None:
        raise Unsupported(f"{site.name} cannot be given a plan: {reason}; full for all its heads would work")


def inseparable(layer: MultiHeadAttention) -> str | None:
    """Why the heads of a layer cannot be taken apart; None where they can."""
    reasons = {
        "it reads learned slots (memory=), which have no place": bool(layer.memory),
        "its heads score in turns (transposed=True)": layer.transposed,
        "it adds keys of its own (bias_k, add_zero_attn or a prefix)": layer.bias_k is not None
        or layer.zero_key
        or layer.prefix is not None,
        f"its score {layer.score.name} has parameters, which are made for all heads": any(True for _ in layer.score.parameters()),
        f"its score {layer.score.name} looks at places": not layer.score.pairwise,
        "its mask is another for each head": layer.mask is not None and layer.mask.heads not in (None, 1),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def check_call(
    layer: PlannedAttention, x: Tensor, values: Tensor | None, ids: Tensor | None, cache: Past | None, trace: bool | Select
) -> None:
    """Inputs that do not fit."""
    if x.dim() != 3 or x.shape[-1] != layer.widths.dim:
        raise ShapeError(f"this layer takes x (b, t, {layer.widths.dim}): found {tuple(x.shape)}")
    if values is not None or ids is not None:
        raise Unsupported("a planned layer takes x, or x and a context: found values= or ids=")
    if cache is None:
        return
    if not isinstance(cache, RaggedCache) or cache.arrangement is not layer.arrangement:
        raise Unsupported(
            f"a planned layer keeps of each head what its option says: found a {type(cache).__name__} of another; new_cache() would work"
        )
    if trace is not False:
        raise Unsupported(
            "a ragged cache holds other keys for each head, so weights have no common axis: trace=True without cache would work"
        )


def check_cache(layer: PlannedAttention, q: Tensor, mask: Mask | None, bias: Tensor | None) -> None:
    """Calls that steps through a ragged cache cannot serve."""
    own = layer.mask
    check_mask(own, mask if own is None else own if mask is None else own & mask)
    if bias is not None:
        raise Unsupported("a ragged cache holds other keys for each head, and bias= has one axis for all: mask= or a position would work")
    if layer.position is not None and layer.position.adds_bias and not layer.position.shifts:
        raise Unsupported(
            f"the position {layer.position.name} adds biases that are no function of distance: rope, alibi, t5 or none would work"
        )
    if torch.is_grad_enabled() and q.requires_grad:
        raise Unsupported("a ragged cache is written in place and gives no gradients: torch.no_grad() around the call would work")
