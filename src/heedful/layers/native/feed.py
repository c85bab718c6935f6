"""Both products of a feed-forward layer and what stands between them as one step of autograd.

Of what stands between only the first product is kept for the gradient, half of what torch keeps; the activation is computed once
more beside its own gradient, which costs nothing. What is not kept lies in memory that the next layer uses again.
"""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, linear

from heedful.attention.tiles.scratch import SCRATCH
from heedful.layers.native.activation import torch_swiglu
from heedful.layers.native.library import run, serves
from heedful.layers.projection import Projection


def fed(
    gates: bool, x: Float[Tensor, "... m"], stream: Float[Tensor, "... n"] | None, up: nn.Linear, down: nn.Linear
) -> Float[Tensor, "... n"] | None:
    """stream + down(act(up(x))) in one step, or None where it must be taken in several."""
    if not takes(x, stream, up, down):
        return None
    out: Tensor = Feed.apply(gates, x, stream, up.weight, up.bias, down.weight, down.bias)  # type: ignore[no-untyped-call]
    return out


def takes(x: Tensor, stream: Tensor | None, up: nn.Module, down: nn.Module) -> bool:
    """Whether it can: plain linear layers that nobody looks into, something to learn, numbers we know."""
    if not (torch.is_grad_enabled() and serves(x) and plain(up) and plain(down)) or torch.is_autocast_enabled(x.device.type):
        return False
    return up.weight.dtype == x.dtype and (stream is None or (stream.dtype == x.dtype and stream.is_contiguous()))


def plain(layer: nn.Module) -> bool:
    """Whether calling the layer is multiplying by its weight and no more."""
    looked_into = layer._forward_hooks or layer._forward_pre_hooks or layer._backward_hooks or layer._backward_pre_hooks
    return type(layer) in (nn.Linear, Projection) and not looked_into and type(layer.weight) is nn.Parameter


@final
class Feed(torch.autograd.Function):
    """stream + W_2 act(W_1 x + b_1) + b_2; `gates`: act is silu(gate) ⊙ value of halves, else gelu."""

    @staticmethod
    def forward(
        ctx: Any, gates: bool, x: Tensor, stream: Tensor | None, w1: Tensor, b1: Tensor | None, w2: Tensor, b2: Tensor | None
    ) -> Tensor:
        """As torch would, the stream's sum in the product's buffer."""
        between = linear(x, w1, b1)
        act = SCRATCH.take("act", (*x.shape[:-1], w2.shape[1]), x)
        run(gates, between, None, None, act)
        out = linear(act, w2, b2)
        ctx.save_for_backward(x, w1, b1, w2, b2, between)
        ctx.gates = gates
        return out if stream is None else out.add_(stream)

    @staticmethod
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients that are needed; by torch's operations where they are differentiated again."""
        x, w1, b1, w2, b2, between = ctx.saved_tensors
        _, needs_x, needs_stream, *needs = ctx.needs_input_grad
        if torch.is_grad_enabled():
            return again(ctx.gates, ctx.needs_input_grad, d_out, (x, w1, b1, w2, b2))
        d, flat = d_out.reshape(-1, d_out.shape[-1]).contiguous(), x.reshape(-1, x.shape[-1])
        rows = between.reshape(len(flat), -1)
        # Its memory takes whatever is as wide: the activation of gates, else the gradient.
        d_act = torch.mm(d, w2, out=SCRATCH.take("d act", (len(d), w2.shape[1]), d))
        other = SCRATCH.take("act", rows.shape, rows)
        act, d_between = (d_act, other) if ctx.gates else (other, d_act)
        run(ctx.gates, rows, d_act, d_between, act)
        return (
            None,
            (d_between @ w1).view(x.shape) if needs_x else None,
            d_out if needs_stream else None,
            d_between.t() @ flat if needs[0] else None,
            d_between.sum(0) if needs[1] else None,
            d.t() @ act if needs[2] else None,
            d.sum(0) if needs[3] else None,
        )


def again(gates: bool, needs: tuple[bool, ...], d_out: Tensor, tensors: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """The gradients as functions that can be differentiated themselves."""
    x, w1, b1, w2, b2 = tensors
    assert x is not None
    assert w1 is not None
    assert w2 is not None
    between = linear(x, w1, b1)
    out = linear(torch_swiglu(between) if gates else gelu(between), w2, b2)
    wanted = [tensor for tensor, need in zip(tensors, (needs[1], *needs[3:]), strict=True) if need and tensor is not None]
    found = iter(torch.autograd.grad(out, wanted, d_out, create_graph=True))
    d_x = next(found) if needs[1] else None
    return (None, d_x, d_out if needs[2] else None, *(next(found) if need else None for need in needs[3:]))
