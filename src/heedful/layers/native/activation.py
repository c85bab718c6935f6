"""gelu(x), and silu(gate) ⊙ value of both side by side, in one pass each way where the compiled form serves; else torch's."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import gelu as torch_gelu
from torch.nn.functional import silu

from heedful.layers.native.library import activated, run, serves


def gelu(x: Float[Tensor, "... m"]) -> Float[Tensor, "... m"]:
    """x Φ(x).

    >>> gelu(torch.tensor([0.0, 10.0]))
    tensor([ 0., 10.])
    """
    if not serves(x):
        return torch_gelu(x)
    if torch.is_grad_enabled() and x.requires_grad:
        done: Tensor = Gelu.apply(x)  # type: ignore[no-untyped-call]
        return done
    return activated(False, x)


def swiglu(x: Float[Tensor, "... m+m"]) -> Float[Tensor, "... m"]:
    """silu(gate) ⊙ value of x = (gate, value).

    >>> swiglu(torch.tensor([0.0, 1.0, 5.0, 0.0]))
    tensor([0., 0.])
    """
    if not serves(x):
        return torch_swiglu(x)
    if torch.is_grad_enabled() and x.requires_grad:
        done: Tensor = Swiglu.apply(x)  # type: ignore[no-untyped-call]
        return done
    return activated(True, x)


def torch_swiglu(x: Float[Tensor, "... m+m"]) -> Float[Tensor, "... m"]:
    """The same in torch's operations."""
    gate, value = x.chunk(2, dim=-1)
    return silu(gate) * value


@final
class Gelu(torch.autograd.Function):
    """x -> gelu(x)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """One pass."""
        ctx.save_for_backward(x)
        return activated(False, x)

    @staticmethod
    def backward(ctx: Any, up: Tensor) -> Tensor:
        """One pass; torch's own where it is differentiated again."""
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            twice: Tensor = torch.ops.aten.gelu_backward(up, x)
            return twice
        down = torch.empty_like(x)
        run(False, x, up.contiguous(), down, None)
        return down


@final
class Swiglu(torch.autograd.Function):
    """(gate, value) -> silu(gate) ⊙ value; the gradients of both are written side by side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """One pass."""
        ctx.save_for_backward(x)
        return activated(True, x)

    @staticmethod
    def backward(ctx: Any, up: Tensor) -> Tensor:
        """One pass; by torch's operations where it is differentiated again."""
        (x,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            twice: tuple[Tensor, ...] = torch.autograd.grad(torch_swiglu(x), x, up, create_graph=True)
            return twice[0]
        down = torch.empty_like(x)
        run(True, x, up.contiguous(), down, None)
        return down
