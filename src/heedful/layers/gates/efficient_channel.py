"""Efficient channel attention: neighbouring channels decide together (Wang 2020, arXiv 1910.03151, eq. 7 and 12)."""

from __future__ import annotations

import math
from typing import final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.errors import UsageError
from heedful.layers.gates.gate import GateState, SelfGate, opening
from heedful.layers.gates.layout import Layout, Places
from heedful.layers.gates.pool import Kept, mean, running_mean


def adaptive_kernel(dim: int, gamma: float = 2.0, offset: float = 1.0) -> int:
    """The odd number of channels that see each other, |log2(c) / γ + b / γ| made odd (eq. 12).

    >>> [adaptive_kernel(c) for c in (8, 64, 256, 512)]
    [3, 3, 5, 5]
    """
    size = int(abs((math.log2(dim) + offset) / gamma))
    return size if size % 2 else size + 1


@final
class EfficientChannelAttention(SelfGate):
    """y = x ⊙ g with g = σ(w ∗ z + b): a short convolution along the channels of the mean z over the real places.

    >>> gate = EfficientChannelAttention(64, layout="2d")
    >>> x = torch.randn(2, 64, 5, 6)
    >>> gate(x).shape, gate.gate(x).shape, gate.kernel
    (torch.Size([2, 64, 5, 6]), torch.Size([2, 64, 1, 1]), 3)
    >>> torch.allclose(gate(x), 0.9 * x)                       # the starting point: every gate at `start`
    True

    Spelt out, with k = 2 r + 1 and zeros beyond the first and last channel:

        g[c] = sigmoid(sum(w[j] * z[c + j - r] for j in range(k)) + b)
        y[t, c] = x[t, c] * g[c]

    With `causal` the mean at t runs over the real places 0 ... t. At the start w = 0, and the one number b (not in the
    paper) is such that every gate is `start`.

    Args:
        dim: channels c, or width m of a stream.
        kernel: odd size of the convolution; by default `adaptive_kernel(dim)`.
        start: the gate at initialisation.
        layout, causal: see `Gate`.

    Raises:
        UsageError: an even kernel, an unknown layout, or a start outside (0, 1).
        ShapeError: features or a mask of another shape.
    """

    def __init__(self, dim: int, *, kernel: int | None = None, start: float = 0.9, layout: Layout = "stream", causal: bool = False) -> None:
        super().__init__(dim, layout, causal)
        self.kernel = adaptive_kernel(dim) if kernel is None else kernel
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise UsageError(f"EfficientChannelAttention convolves with an odd kernel, found {kernel}")
        self.start = start
        self.w = nn.Parameter(torch.empty(self.kernel))
        self.b = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        nn.init.zeros_(self.w)
        nn.init.constant_(self.b, opening(self.start))

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n_or_1 c"], Kept]:
        """g, and the running sum and count."""
        z, kept = running_mean(p.x, p.real, state.kept) if self.causal else (mean(p.x, p.real), ())
        rows = F.conv1d(rearrange(z, "b n c -> (b n) 1 c"), self.w[None, None], self.b, padding=self.kernel // 2)
        return torch.sigmoid(rearrange(rows, "(b n) 1 c -> b n c", b=z.shape[0])), kept

    def gated(self, p: Places, values: Float[Tensor, "b n_or_1 c"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ g."""
        return p.x * values
