"""Softmax weights whose gradient is that of a softmax at another temperature, and tensors that get a share of their gradient."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor


def softened(weights: Float[Tensor, "... k"], temperature: float) -> Float[Tensor, "... k"]:
    """The same weights; the scores behind them get the gradient that softmax(scores / temperature) would give them.

    >>> scores = torch.tensor([0.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> softened(scores.softmax(-1), 2.0)[0].backward()
    >>> warm = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    >>> ((scores.detach() + warm) / 2).softmax(-1)[0].backward()
    >>> bool(torch.allclose(scores.grad, warm.grad))
    True
    """
    if temperature == 1.0:
        return weights
    out: Tensor = Softened.apply(weights, temperature)  # type: ignore[no-untyped-call]
    return out


def share(x: Float[Tensor, "..."], part: float) -> Float[Tensor, "..."]:
    """The same tensor, which gets that part of its gradient."""
    return x if part == 1.0 else x * part + (x * (1 - part)).detach()


@final
class Softened(torch.autograd.Function):
    """Passes a gradient g' through weights A so that the softmax behind them, A ⊙ (g' - Σ A g'), gives what was asked for.

    With B = A^(1/T) normed, which is the softmax at temperature T, wanted is w = B ⊙ (g - Σ B g) / T. Where a sink takes the share
    1 - Σ A, it takes part in B too, and g' = w / A + Σ w / (1 - Σ A); without one Σ w is 0 and g' = w / A.
    """

    @staticmethod
    def forward(ctx: Any, weights: Tensor, temperature: float) -> Tensor:
        """The weights as they are."""
        ctx.save_for_backward(weights)
        ctx.temperature = temperature
        return weights.view_as(weights)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        """What the weights must be given."""
        (weights,) = ctx.saved_tensors
        (grad,) = grads
        tiny = torch.finfo(weights.dtype).tiny
        sink = (1 - weights.sum(-1, keepdim=True)).clamp(min=0)
        sink = torch.where(sink > torch.finfo(weights.dtype).eps * weights.shape[-1], sink, 0.0)
        warm = weights ** (1 / ctx.temperature)
        warm = warm / (warm.sum(-1, keepdim=True) + sink ** (1 / ctx.temperature)).clamp(min=tiny)
        wanted = warm * (grad - (warm * grad).sum(-1, keepdim=True)) / ctx.temperature
        # Below, the quotient grows as 1 / √A at most: a weight that is nearly nothing stays far from overflow.
        back = torch.where(weights > tiny, wanted / weights.clamp(min=tiny), 0.0)
        lost = torch.where(sink > 0, wanted.sum(-1, keepdim=True) / sink.clamp(min=tiny), 0.0)
        return back + lost, None
