"""A packed projection cut into the heads of queries, keys and values."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

Heads = tuple[Tensor, Tensor, Tensor]


def cut(packed: Float[Tensor, "b t n d"], heads: int, kv_heads: int) -> Heads:
    """Queries (b, heads, t, d), keys and values (b, kv_heads, t, d): views of `packed`, whose n is heads + 2 kv_heads.

    >>> [tuple(x.shape) for x in cut(torch.randn(2, 5, 8, 16), 4, 2)]
    [(2, 4, 5, 16), (2, 2, 5, 16), (2, 2, 5, 16)]
    """
    if torch.compiler.is_compiling() or not (torch.is_grad_enabled() and packed.requires_grad) or transformed():
        return parts(packed, heads, kv_heads)
    q, k, v = Cut.apply(packed, heads, kv_heads)  # type: ignore[no-untyped-call]
    return q, k, v


def transformed() -> bool:
    """Whether torch.func's transforms or forward-mode derivatives look on, which want torch's own operations."""
    return torch._C._are_functorch_transforms_active() or torch.autograd.forward_ad._current_level >= 0


def parts(packed: Float[Tensor, "b t n d"], heads: int, kv_heads: int) -> Heads:
    """Cut before turned: the gradient is copied once, not twice."""
    q, k, v = packed.split_with_sizes([heads, kv_heads, kv_heads], dim=2)
    return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)


@final
class Cut(torch.autograd.Function):
    """packed -> q, k, v. Gradients that were written side by side (`heedful.attention.native.backward`) are not copied together."""

    @staticmethod
    def forward(ctx: Any, packed: Tensor, heads: int, kv_heads: int) -> Heads:
        """Three views."""
        ctx.shape = packed.shape
        return parts(packed, heads, kv_heads)

    @staticmethod
    def backward(ctx: Any, dq: Tensor, dk: Tensor, dv: Tensor) -> tuple[Tensor, None, None]:
        """One tensor of the three."""
        whole = None if torch.is_grad_enabled() else side_by_side(dq, dk, dv, ctx.shape)
        return torch.cat([x.transpose(1, 2) for x in (dq, dk, dv)], dim=2) if whole is None else whole, None, None


def side_by_side(dq: Tensor, dk: Tensor, dv: Tensor, shape: torch.Size) -> Tensor | None:
    """The tensor (b, t, n, d) whose parts these are, if they are."""
    b, t, n, d = shape
    strides, size = (t * n * d, d, n * d, 1), dq.element_size()
    at = dq.data_ptr()
    places = (at, at + dq.shape[1] * d * size, at + (dq.shape[1] + dk.shape[1]) * d * size)
    for x, place in zip((dq, dk, dv), places, strict=True):
        if x.stride() != strides or x.data_ptr() != place or x.untyped_storage().data_ptr() != dq.untyped_storage().data_ptr():
            return None
    return dq.as_strided((b, t, n, d), (t * n * d, n * d, d, 1))
