"""The softmax over all items, computed once a sequence and never held whole: loss and gradient in one pass over slices of places.

Klenitskiy & Vasilev 2023 (arXiv 2309.07602): SASRec under this loss is as good as BERT4Rec. The gradient, p - y, is made where the
logits are (as in Liger, arXiv 2410.10989), so a catalogue of v items costs slices of 2²⁰ numbers, not (places, v) twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

CELLS = 1 << 20  # logits of one slice


class Beside(NamedTuple):
    """What is added to the logits of some items, place by place: `values` at the items `ids`, each as often as it stands there."""

    values: Float[Tensor, "n s"]
    ids: Int[Tensor, "n s"]


def softmax_loss(
    states: Float[Tensor, "n m"],
    vectors: Float[Tensor, "v m"],
    bias: Float[Tensor, " v"],
    labels: Int[Tensor, " n"],
    beside: Beside | None = None,
    hidden: Int[Tensor, "n t"] | None = None,
) -> Float[Tensor, ""]:
    """Mean cross entropy, in nats, of each label under states · vectorsᵀ + bias + what stands beside, without the `hidden` items.

    >>> h, e = torch.randn(3, 4), torch.randn(9, 4)
    >>> labels = torch.tensor([1, 2, 3])
    >>> whole = torch.nn.functional.cross_entropy(h @ e.T, labels)
    >>> torch.allclose(softmax_loss(h, e, torch.zeros(9), labels), whole, atol=1e-6)
    True
    """
    values, ids = beside or (None, None)
    found: Tensor = Sliced.apply(states, vectors, bias, labels, values, ids, hidden)  # type: ignore[no-untyped-call]
    return found


class Sliced(torch.autograd.Function):
    """The loss with its gradients kept from the forward pass."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, vectors: Tensor, bias: Tensor, labels: Tensor, *extra: Tensor | None) -> Tensor:
        """Slice by slice: logits, their log-sum-exp, and p - y in the logits' place."""
        values, ids, hidden = extra
        by_state, by_vector, by_bias = torch.empty_like(states), torch.zeros_like(vectors), torch.zeros_like(bias)
        by_value = None if values is None else torch.empty_like(values)
        total = torch.zeros((), dtype=torch.float32, device=states.device)
        rows, kind = max(1, CELLS // len(vectors)), products(states)
        narrow, wide = states.to(kind), vectors.to(kind)
        for at in range(0, len(states), rows):
            part = slice(at, at + rows)
            logits = (narrow[part] @ wide.T).to(bias.dtype).add_(bias)
            if values is not None and ids is not None:
                logits.scatter_add_(1, ids[part], values[part].to(logits.dtype))
            if hidden is not None:
                logits.scatter_(1, hidden[part], -torch.inf)
            right, top = labels[part, None], logits.amax(1, keepdim=True)
            wanted = logits.gather(1, right)
            slope = logits.sub_(top).exp_()
            share = slope.sum(1, keepdim=True)
            total += (share.log() + top - wanted).sum()
            slope.div_(share * len(states)).scatter_add_(1, right, torch.full_like(share, -1 / len(states)))
            error = slope.to(kind)
            by_state[part] = error @ wide
            by_vector += error.T @ narrow[part]
            by_bias += slope.sum(0)
            if by_value is not None and ids is not None:
                by_value[part] = slope.gather(1, ids[part])
        ctx.save_for_backward(by_state, by_vector, by_bias, by_value)
        return total / len(states)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        """The kept gradients, times the slope of what the loss went into."""
        by_state, by_vector, by_bias, by_value = ctx.saved_tensors
        slope = slopes[0]
        return by_state * slope, by_vector * slope, by_bias * slope, None, None if by_value is None else by_value * slope, None, None


def products(states: Tensor) -> torch.dtype:
    """The precision of the products: autocast's where it is on, the states' own otherwise."""
    device = states.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else states.dtype


def sampled_loss(right: Float[Tensor, " n"], wrong: Float[Tensor, "n k"], items: int, calibration: float) -> Float[Tensor, ""]:
    """gSASRec's binary cross entropy: right items to the power β, since sampled negatives make a model overconfident.

    β = α (t (1 - 1/α) + 1/α) with α = k / (items - 1) and t the calibration (Petrov & Macdonald 2023, arXiv 2308.07192, eq. 12).

    >>> plain = sampled_loss(torch.zeros(1), torch.zeros(1, 1), items=3, calibration=0.0)
    >>> round(float(plain), 4)  # (log 2 + log 2) / 2
    0.6931
    """
    share = min(1.0, wrong.shape[1] / max(1, items - 1))
    power = share * (calibration * (1 - 1 / share) + 1 / share)
    logsigmoid = torch.nn.functional.logsigmoid
    nats = power * logsigmoid(right.float()) + logsigmoid(-wrong.float()).sum(1)
    return -nats.mean() / (1 + wrong.shape[1])
