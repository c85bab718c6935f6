"""Convolutional block attention: first which channels, then which places (Woo 2018, arXiv 1807.06521, eq. 1-3)."""

from __future__ import annotations

from typing import final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.errors import UsageError
from heedful.layers.gates.gate import GateState, SelfGate, opening
from heedful.layers.gates.layout import Layout, Places
from heedful.layers.gates.pool import Kept, greatest, mean, running_greatest, running_mean


@final
class CBAM(SelfGate):
    """y = x ⊙ C ⊙ S: a gate C for each channel, and of what it lets through a gate S for each place.

    >>> gate = CBAM(32, layout="2d")
    >>> x = torch.randn(2, 32, 5, 6)
    >>> gate(x).shape, gate.gate(x).shape
    (torch.Size([2, 32, 5, 6]), torch.Size([2, 32, 5, 6]))
    >>> torch.allclose(gate(x), 0.9 * x)                       # the starting point: C S = `start`
    True

    Spelt out, for a sequence and a kernel of 7 (an image has a 7 x 7 kernel):

        mlp(z) = relu(z @ W_0) @ W_1 + b                       # one for both descriptors
        C = sigmoid(mlp(mean over t of x) + mlp(max over t of x))
        u[t] = x[t] * C
        s[t] = (mean over channels of u[t], max over channels of u[t])
        S[t] = sigmoid(sum(w[:, j] @ s[t + j - 3] for j in range(7)) + b_s)
        y[t] = u[t] * S[t]

    With `causal` the mean and maximum at t run over the real places 0 ... t, and the kernel ends at t instead of
    standing around it. At the start W_1 = 0 and w = 0, and the biases (not in the paper) are such that C = S = √start.

    Args:
        dim: channels c, or width m of a stream.
        reduction: how many channels share one of the max(1, dim // reduction) hidden units.
        kernel: odd size of the convolution over places.
        start: the product of both gates at initialisation.
        layout, causal: see `Gate`.

    Raises:
        UsageError: an even kernel, an unknown layout, or a start outside (0, 1).
        ShapeError: features or a mask of another shape.
    """

    def __init__(
        self, dim: int, *, reduction: int = 16, kernel: int = 7, start: float = 0.9, layout: Layout = "stream", causal: bool = False
    ) -> None:
        super().__init__(dim, layout, causal)
        if kernel < 1 or kernel % 2 == 0:
            raise UsageError(f"CBAM convolves over places with an odd kernel, found {kernel}")
        if reduction < 1:
            raise UsageError(f"CBAM reduces the width by a factor of at least 1, found reduction={reduction}")
        opening(start)  # refuses what is no gate before its root is taken
        self.kernel, self.start = kernel, start
        hidden = max(1, dim // reduction)
        self.w_0 = nn.Parameter(torch.empty(dim, hidden))
        self.w_1 = nn.Parameter(torch.empty(hidden, dim))
        self.b = nn.Parameter(torch.empty(dim))
        self.w = nn.Parameter(torch.empty(1, 2, *([kernel, kernel] if layout == "2d" else [kernel])))
        self.b_s = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        logit = opening(self.start**0.5)
        nn.init.xavier_uniform_(self.w_0)
        nn.init.zeros_(self.w_1)
        nn.init.constant_(self.b, logit / 2)  # added by the mean's and by the maximum's pass
        nn.init.zeros_(self.w)
        nn.init.constant_(self.b_s, logit)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n c"], Kept]:
        """C S; kept are sum, count and maximum of each channel and the last kernel - 1 descriptors of places."""
        channels, kept = self._channels(p, state.kept[:3])
        kept_channels = p.x * channels
        described = torch.stack([kept_channels.mean(dim=-1), kept_channels.amax(dim=-1)], dim=1)
        if self.causal:
            described = self._after(described, state.kept[3:])
            kept = (*kept, described[..., described.shape[-1] - self.kernel + 1 :])
        return channels * self._places(described, p.grid), kept

    def gated(self, p: Places, values: Float[Tensor, "b n c"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ C ⊙ S."""
        return p.x * values

    def _channels(self, p: Places, kept: Kept) -> tuple[Float[Tensor, "b n_or_1 c"], Kept]:
        if not self.causal:
            return self._shared(mean(p.x, p.real), greatest(p.x, p.real)), ()
        average, sums = running_mean(p.x, p.real, kept[:2])
        highest, top = running_greatest(p.x, p.real, kept[2:])
        return self._shared(average, highest), (*sums, *top)

    def _shared(self, average: Float[Tensor, "b n c"], highest: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        hidden = torch.relu(average @ self.w_0), torch.relu(highest @ self.w_0)
        return torch.sigmoid((hidden[0] + hidden[1]) @ self.w_1 + 2 * self.b)

    def _after(self, described: Float[Tensor, "b 2 n"], kept: Kept) -> Float[Tensor, "b 2 n_and_past"]:
        past = kept[0] if kept else described.new_zeros(described.shape[0], 2, self.kernel - 1)
        return torch.cat([past, described], dim=-1)

    def _places(self, described: Float[Tensor, "b 2 n_and_past"], grid: tuple[int, ...]) -> Float[Tensor, "b n 1"]:
        around = 0 if self.causal else self.kernel // 2
        if self.layout == "2d":
            maps = F.conv2d(rearrange(described, "b s (h w) -> b s h w", h=grid[0]), self.w, self.b_s, padding=around)
        else:
            maps = F.conv1d(described, self.w, self.b_s, padding=around)
        return torch.sigmoid(rearrange(maps, "b 1 ... -> b (...) 1"))
