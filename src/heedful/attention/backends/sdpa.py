"""torch's scaled_dot_product_attention: fused kernels for scores that are dot products and a softmax."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.attention.bias import causal_lower_right
from torch.nn.functional import scaled_dot_product_attention

from heedful.attention.call import Call, Result
from heedful.attention.masks.causal import Causal
from heedful.attention.weightings.softmax import Softmax


def why_not(call: Call) -> str | None:
    """torch's kernel knows one score, one weighting, and returns neither weights nor summaries."""
    if call.weights is not None or call.summaries:
        return "torch's fused kernel returns no weights and no summaries"
    if not call.score.is_dot:
        return f"the score {call.score.name} is not a dot product"
    if not isinstance(call.weighting, Softmax):
        return f"it computes softmax only, not {call.weighting.name}"
    if call.softcap is not None:
        return "it has no softcap"
    if call.sink_logits is not None:
        return "it has no sink logits"
    if call.dropout and call.seed is not None:
        return "its dropout cannot be drawn from a given seed"
    if call.k.shape[2] == 0:
        return "there is no key"
    return None


def run(call: Call) -> Result:
    """The call in torch's terms: rotated q and k, one scale, one additive or boolean mask."""
    q, k = call.q, call.k
    if call.position is not None:
        at_q, at_k = call.places()
        q, k = call.position.rotate(q, at_q), call.position.rotate(k, at_k)
    at = call.score.as_dot(q, k)
    assert at is not None
    factor = call.factor()
    query, scale = (at.q * factor.to(at.q.dtype), 1.0) if isinstance(factor, Tensor) else (at.q, factor)
    terms = [term for term in (at.bias, call.added()) if term is not None]
    causal = not terms and is_upper_left_causal(call)
    lower_right = not terms and query.shape[1] == at.k.shape[1] and is_lower_right_on_cuda(call)
    out = scaled_dot_product_attention(
        query,
        at.k,
        call.v,
        attn_mask=None if causal else causal_lower_right(*call.sizes[2:]) if lower_right else torch_mask(call, terms),
        dropout_p=call.dropout,
        is_causal=causal,
        scale=scale,
        enable_gqa=query.shape[1] != at.k.shape[1],
    )
    return Result(call.score.finish(out, call.q))


def is_upper_left_causal(call: Call) -> bool:
    """Whether torch's `is_causal`, which aligns to the upper left, says the same as the mask: only at equal lengths."""
    return isinstance(call.mask, Causal) and bool(call.q.shape[2] == call.k.shape[2])  # a symbol under export otherwise


def is_lower_right_on_cuda(call: Call) -> bool:
    """Whether torch's flash kernel takes a causal mask that ends at the last key without a table; its other kernels make one.

    To be checked on such a device.
    """
    _, _, q, k = call.sizes
    if not isinstance(call.mask, Causal) or not call.q.is_cuda or torch.compiler.is_compiling():
        return False
    fits = call.q.dtype in (torch.float16, torch.bfloat16) and call.q.shape[-1] == call.v.shape[-1] and call.q.shape[-1] <= 256
    return fits and q < k


def torch_mask(call: Call, terms: list[Float[Tensor, "..."]]) -> Float[Tensor, "..."] | Bool[Tensor, "..."] | None:
    """The mask and what is added to the scores, as torch takes them."""
    q_len, k_len = call.q.shape[2], call.k.shape[2]
    allowed = None if call.mask is None else call.mask.dense(q_len, k_len, call.q.device)
    return combined(allowed, sum(terms[1:], terms[0]) if terms else None, call.q.dtype)


def combined(
    allowed: Bool[Tensor, "..."] | None, added: Float[Tensor, "..."] | None, dtype: torch.dtype
) -> Float[Tensor, "..."] | Bool[Tensor, "..."] | None:
    """The mask as booleans, or, where something is added to the scores, as that with -inf in the blocked places."""
    if added is None:
        return allowed
    return added.to(dtype) if allowed is None else torch.where(allowed, added.to(dtype), float("-inf"))
