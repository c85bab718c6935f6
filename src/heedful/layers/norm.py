"""Norms of a stream: root mean square (Zhang & Sennrich 2019, arXiv 1910.07467, eq. 4) and layer norm (Ba 2016, arXiv 1607.06450)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import rms_norm

from heedful.errors import unknown

NORMS = ("rms", "layer")


@final
class RMSNorm(nn.Module):
    """x / √(mean x² + eps) ⊙ w over the last axis, with w (dim,) starting at one.

    >>> import torch
    >>> RMSNorm(2)(torch.tensor([[3.0, 4.0]])).square().mean().round(decimals=3).item()
    1.0
    """

    def __init__(self, dim: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: Float[Tensor, "... m"]) -> Float[Tensor, "... m"]:
        """The same shape, with root mean square one before the weight."""
        return rms_norm(x, self.weight.shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Its width, for the printed model."""
        return f"{self.weight.shape[0]}, eps={self.eps}"


def norm(kind: str, dim: int, bias: bool = True) -> nn.Module:
    """The norm called "rms" or "layer", `dim` wide (`bias` is the layer norm's); `UsageError` for another name.

    >>> norm("layer", 4, bias=False)
    LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=False)
    """
    if kind == "rms":
        return RMSNorm(dim)
    if kind == "layer":
        return nn.LayerNorm(dim, bias=bias)
    raise unknown("norm", kind, NORMS)
