"""Norms whose divisor is a constant in the backward pass: layer norms and root-mean-square norms, ours, torch's and Hugging Face's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Within it the norms of a model pass gradients as if their divisor were given; undone at the end.

    >>> x = torch.tensor([[3.0, 4.0]], requires_grad=True)
    >>> norm = nn.RMSNorm(2)
    >>> with frozen(norm):
    ...     norm(x).sum().backward()
    >>> bool(torch.allclose(x.grad, torch.full((1, 2), 1 / 12.5**0.5)))
    True
    """
    hooks = [module.register_forward_hook(given) for module in model.modules() if norms(module)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def norms(module: nn.Module) -> bool:
    """Whether a module is a norm over its last axis."""
    return isinstance(module, nn.LayerNorm) or root_mean_square(module)


def root_mean_square(module: nn.Module) -> bool:
    """Whether it divides by the root mean square and nothing else; the many classes of transformers are told by their names."""
    kind = type(module).__name__
    return kind.endswith("RMSNorm") or kind == "T5LayerNorm"


def given(module: nn.Module, inputs: tuple[Any, ...], out: Tensor) -> Tensor:
    """The same output, its divisor a constant."""
    x: Tensor = inputs[0]
    if len(inputs) > 1 or not x.requires_grad:
        return out
    if isinstance(module, nn.LayerNorm):
        centred, weight, bias = x - x.mean(-1, keepdim=True), module.weight, module.bias
        scaled = centred if weight is None else centred * weight
        shift = torch.zeros_like(out) if bias is None else bias.expand_as(out)
    else:
        # What the module makes of ones is its weight, up to a factor that falls out below, however it is kept (Gemma: 1 + w).
        ones = module.forward(torch.ones_like(x[..., :1, :].detach()))
        scaled, shift = x * ones, torch.zeros_like(out)
    return scaled * divisor(scaled.detach(), (out - shift).detach()) + shift


def divisor(scaled: Float[Tensor, "... m"], out: Float[Tensor, "... m"]) -> Float[Tensor, "... 1"]:
    """The factor between two vectors that point the same way; 0 where there is nothing."""
    size = scaled.square().sum(-1, keepdim=True)
    return torch.where(size > 0, (scaled * out).sum(-1, keepdim=True) / size.clamp(min=torch.finfo(size.dtype).tiny), 0.0)
