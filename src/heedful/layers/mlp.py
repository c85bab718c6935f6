"""The feed-forward half of a block: GELU (Hendrycks & Gimpel 2016, arXiv 1606.08415), SwiGLU (Shazeer 2020, arXiv 2002.05202, eq. 6)."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import unknown
from heedful.layers.native.activation import gelu, swiglu
from heedful.layers.native.feed import fed
from heedful.layers.projection import Projection, onto

MLPS = ("gelu", "swiglu")


@final
class GELU(nn.Module):
    """W_2 gelu(W_1 x), `inner` units wide (4 dim unless said).

    >>> import torch
    >>> GELU(8)(torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(self, dim: int, inner: int | None = None, bias: bool = True) -> None:
        super().__init__()
        self.up = nn.Linear(dim, inner or 4 * dim, bias=bias)
        self.down = Projection(inner or 4 * dim, dim, bias=bias)

    def forward(self, x: Float[Tensor, "... m"], stream: Float[Tensor, "... m"] | None = None) -> Float[Tensor, "... m"]:
        """The same shape; added to the stream if there is one."""
        whole = fed(False, x, stream, self.up, self.down)
        return onto(stream, self.down, gelu(self.up(x))) if whole is None else whole


@final
class SwiGLU(nn.Module):
    """W_2 (silu(W_g x) ⊙ W_1 x), both inner products in one matrix; `inner` is 8/3 dim unless said, rounded up to a multiple of 8.

    >>> import torch
    >>> SwiGLU(8)(torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(self, dim: int, inner: int | None = None, bias: bool = False) -> None:
        super().__init__()
        inner = inner or -(-8 * dim // 3 // 8) * 8
        self.up = nn.Linear(dim, 2 * inner, bias=bias)
        self.down = Projection(inner, dim, bias=bias)

    def forward(self, x: Float[Tensor, "... m"], stream: Float[Tensor, "... m"] | None = None) -> Float[Tensor, "... m"]:
        """The same shape; added to the stream if there is one."""
        whole = fed(True, x, stream, self.up, self.down)
        return onto(stream, self.down, swiglu(self.up(x))) if whole is None else whole


def mlp(kind: str, dim: int, inner: int | None = None, bias: bool = True) -> nn.Module:
    """The feed-forward layer called "gelu" or "swiglu"; `UsageError` for another name.

    >>> mlp("gelu", 4, bias=False)
    GELU(
      (up): Linear(in_features=4, out_features=16, bias=False)
      (down): Projection(in_features=16, out_features=4, bias=False)
    )
    """
    if kind == "gelu":
        return GELU(dim, inner, bias)
    if kind == "swiglu":
        return SwiGLU(dim, inner, bias)
    raise unknown("mlp", kind, MLPS)
