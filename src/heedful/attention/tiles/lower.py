"""From a call of `attend` to work for an engine, or the reason why not."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.call import Call
from heedful.attention.tiles.work import Wanted, Work
from heedful.attention.weightings.softmax import Softmax


def why_not(call: Call) -> str | None:
    """Tiles know scores that are dot products, and one weighting."""
    if not call.score.is_dot:
        return f"the score {call.score.name} is not a dot product"
    if not isinstance(call.weighting, Softmax):
        return f"it computes softmax only, not {call.weighting.name}"
    if call.softcap is not None and call.score.adds_bias:
        return f"the bias of the score {call.score.name} belongs under the softcap, and tiles add theirs after it"
    if not one_or_per_head(call.factor(), call.q.shape[1]):
        return "the scale differs from query to query"
    if torch.compiler.is_compiling() and (call.weights is not None or any(name != "lse" for name in call.summaries)) and tracked(call):
        return "the gradients of weights and summaries (other than lse) are not in its compiled form"
    return transformed()


def one_or_per_head(factor: float | Tensor, heads: int) -> bool:
    """Whether the factor is one number, or one for each head."""
    if not isinstance(factor, Tensor) or factor.numel() == 1:
        return True
    return factor.numel() == heads and factor.ndim >= 3 and factor.shape[-3] == heads


def tracked(call: Call) -> bool:
    """Whether a gradient may be asked for later."""
    if not torch.is_grad_enabled():
        return False
    tensors = (call.q, call.k, call.v, call.scale, call.bias, call.sink_logits, call.temperature)
    if any(isinstance(x, Tensor) and x.requires_grad for x in tensors):
        return True
    modules = [module for module in (call.score, call.position) if module is not None]
    return any(parameter.requires_grad for module in modules for parameter in module.parameters())


def transformed() -> str | None:
    """Why not under torch.func's transforms and forward-mode derivatives, which see through torch's own operations only."""
    if torch.compiler.is_compiling():
        return None
    if torch._C._are_functorch_transforms_active():
        return "torch.func transforms do not see into its tiles"
    if torch.autograd.forward_ad._current_level >= 0:
        return "it has no forward-mode derivative"
    return None


def lowered(call: Call) -> Work:
    """The work of a call that `why_not` has nothing against; without its schedule."""
    q, k = call.q, call.k
    if call.position is not None:
        at_q, at_k = call.places()
        q, k = call.position.rotate(q, at_q), call.position.rotate(k, at_k)
    at = call.score.as_relative_dot(q, k)
    assert at is not None
    place, placed = by_place(call)
    factor = call.factor()
    return Work(
        *as_autocast(at.q, at.k, call.v),
        factor=factor.reshape(-1).expand(call.q.shape[1]) if isinstance(factor, Tensor) else float(factor),
        softcap=call.softcap,
        bias=four_axes(total(at.bias, call.bias, placed)),
        relative=total(at.relative, place),
        sink_logits=call.sink_logits,
        dropout=call.dropout,
    )


def by_place(call: Call) -> tuple[Float[Tensor, "#h n"] | None, Float[Tensor, "#h q k"] | None]:
    """What the position scheme adds to the scores: by distance where that is all of it, else for every pair."""
    if call.position is None or not call.position.adds_bias:
        return None, None
    _, heads, q_len, k_len = call.sizes
    line = call.position.relative(heads, q_len, k_len, call.q.device)
    return (line, None) if line is not None else (None, call.position.bias(heads, *call.places()))


def total(*terms: Tensor | None) -> Tensor | None:
    """The sum of the terms there are."""
    there = [term for term in terms if term is not None]
    return sum(there[1:], there[0]) if there else None


def four_axes(bias: Float[Tensor, "..."] | None) -> Float[Tensor, "#b #h #q #k"] | None:
    """The bias with all four axes, those that it lacks of size 1."""
    return None if bias is None else bias.reshape((1,) * (4 - bias.dim()) + bias.shape)


def as_autocast(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Under autocast, in its type, as torch's own attention; float64 stays."""
    if not torch.is_autocast_enabled(q.device.type) or q.dtype == torch.float64:
        return q, k, v
    low = torch.get_autocast_dtype(q.device.type)
    return q.to(low), k.to(low), v.to(low)


def wanted(call: Call) -> Wanted:
    """What the call wants beside the output."""
    return Wanted(call.summaries, call.weights)
