"""The checks that every call of `attend` passes: sizes that fit, values in range, nothing dropped silently."""

from __future__ import annotations

import torch
from torch import Tensor

from heedful.attention.call import Call
from heedful.attention.summary import SUMMARIES
from heedful.attention.weightings.softmax import Softmax
from heedful.errors import ShapeError, Unsupported, UsageError, unknown


def check_tensors(q: Tensor, k: Tensor, v: Tensor) -> None:
    """q (b, h, q, d), k (b, g, k, d), v (b, g, k, v): axes that must agree do."""
    if not (q.ndim == k.ndim == v.ndim == 4):
        raise ShapeError(f"attend takes q (b, h, q, d), k (b, g, k, d), v (b, g, k, v): found {shapes(q, k, v)}")
    if not (q.shape[0] == k.shape[0] == v.shape[0]):
        raise ShapeError(f"q, k and v must have the same batch: found {shapes(q, k, v)}")
    if k.shape[1:3] != v.shape[1:3]:
        raise ShapeError(f"k and v must have the same heads and length: found {shapes(q, k, v)}")
    if k.shape[1] == 0 or q.shape[1] % k.shape[1]:
        raise ShapeError(f"query heads must be a multiple of key/value heads: found {q.shape[1]} and {k.shape[1]} in {shapes(q, k, v)}")
    if not (q.dtype == k.dtype == v.dtype) or not q.is_floating_point():
        raise UsageError(f"q, k and v must have one floating-point type: found {q.dtype}, {k.dtype}, {v.dtype}")


def shapes(q: Tensor, k: Tensor, v: Tensor) -> str:
    """The three shapes, for a message."""
    return f"q {tuple(q.shape)}, k {tuple(k.shape)}, v {tuple(v.shape)}"


def check_call(call: Call) -> None:
    """The options of a call, against its sizes and against each other."""
    sizes = call.sizes
    if call.score.name in ("dot", "scaled_dot") and call.q.shape[-1] != call.k.shape[-1]:
        found = shapes(call.q, call.k, call.v)
        raise ShapeError(f"the score {call.score.name} needs q and k of one width: found {found}; General(d_q, d_k, heads) would work")
    if call.bias is not None:
        check_broadcast("bias", call.bias, sizes)
    if call.softcap is not None and not call.softcap > 0:
        raise UsageError(f"softcap must be above 0: found {call.softcap}")
    if not 0.0 <= call.dropout <= 1.0:
        raise UsageError(f"dropout must be between 0 and 1: found {call.dropout}")
    check_per_head(call, sizes[1])
    for name in call.summaries:
        if name not in SUMMARIES:
            raise unknown("summary", name, SUMMARIES)
    if "lse" in call.summaries and not isinstance(call.weighting, Softmax):
        raise Unsupported(
            f"summary 'lse' is the softmax's denominator: found weighting {call.weighting.name}; weighting='softmax' would work"
        )
    if call.weights is not None:
        call.weights.check(sizes[1], sizes[2])


def check_per_head(call: Call, heads: int) -> None:
    """Sinks and temperatures: one for each query head."""
    if call.sink_logits is not None:
        if call.sink_logits.shape != (heads,):
            raise ShapeError(f"sink_logits needs one logit for each of {heads} heads: found shape {tuple(call.sink_logits.shape)}")
        if not call.weighting.normalised:
            raise Unsupported(
                f"sink_logits take weight from the keys: {call.weighting.name} weights do not sum to one, so there is none to take"
            )
    if isinstance(call.temperature, Tensor):
        if call.temperature.numel() not in (1, heads):
            raise ShapeError(f"temperature needs one value, or one for each of {heads} heads: found shape {tuple(call.temperature.shape)}")
    elif call.temperature is not None and not call.temperature > 0:
        raise UsageError(f"temperature must be above 0: found {call.temperature}")


def check_broadcast(name: str, tensor: Tensor, sizes: tuple[int, int, int, int]) -> None:
    """A tensor that must broadcast to (b, h, q, k)."""
    if tensor.dtype == torch.bool:
        raise UsageError(f"{name} is added to the scores: found booleans; mask= takes those")
    aligned = tuple(tensor.shape)
    if len(aligned) > 4 or any(a not in (1, s) for a, s in zip(reversed(aligned), reversed(sizes), strict=False)):
        raise ShapeError(f"{name} must broadcast to (b, h, q, k) = {sizes}: found {aligned}")
