"""The attention gate of Attention U-Net: a signal says which places of the features matter (Oktay 2018, arXiv 1804.03999, eq. 1-2)."""

from __future__ import annotations

from typing import final

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.errors import ShapeError, UsageError
from heedful.layers.gates.gate import Gate, GateState, check_steps, opening
from heedful.layers.gates.layout import Layout, Places, places


@final
class AttentionGate(Gate):
    """y = x ⊙ α with α = σ(ψᵀ relu(W_x x + W_g g + b_g) + b_ψ), one weight for each place; g is the gating signal.

    >>> gate = AttentionGate(32, 64, layout="2d")
    >>> x, signal = torch.randn(2, 32, 8, 8), torch.randn(2, 64, 4, 4)
    >>> gate(x, signal).shape, gate.gate(x, signal).shape
    (torch.Size([2, 32, 8, 8]), torch.Size([2, 1, 8, 8]))
    >>> torch.allclose(gate(x, signal), 0.9 * x)               # the starting point: every gate at `start`
    True

    Spelt out for one sequence:

        a[t] = sigmoid(psi @ relu(x[t] @ W_x + g[t] @ W_g + b_g) + b_psi)
        y[t] = x[t] * a[t]

    A signal on a coarser grid is projected and then brought to the grid of x by linear interpolation (the paper takes
    x down to the signal's grid and the weights back up). In a stream, or with `causal`, the signal has as many places
    as x, or one for all of them. Without a signal x is its own. At the start ψ = 0 and b_ψ is such that α is `start`.

    Args:
        dim: channels c of x, or width m of a stream.
        signal_dim: channels of the signal; by default `dim`.
        hidden: width of the joint layer; by default max(1, dim // 2).
        start: the gate at initialisation.
        layout, causal: see `Gate`.

    Raises:
        ShapeError: features, a signal or a mask of another shape.
        UsageError: an unknown layout, or a start outside (0, 1).
    """

    def __init__(
        self,
        dim: int,
        signal_dim: int | None = None,
        *,
        hidden: int | None = None,
        start: float = 0.9,
        layout: Layout = "stream",
        causal: bool = False,
    ) -> None:
        super().__init__(dim, layout, causal)
        self.signal_dim = dim if signal_dim is None else signal_dim
        self.start, width = start, max(1, dim // 2) if hidden is None else hidden
        if self.signal_dim < 1 or width < 1:
            raise UsageError(f"AttentionGate needs widths of at least 1, found signal_dim={signal_dim}, hidden={hidden}")
        self.w_x = nn.Parameter(torch.empty(dim, width))
        self.w_g = nn.Parameter(torch.empty(self.signal_dim, width))
        self.b_g = nn.Parameter(torch.empty(width))
        self.psi = nn.Parameter(torch.empty(width))
        self.b_psi = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        nn.init.xavier_uniform_(self.w_x)
        nn.init.xavier_uniform_(self.w_g)
        nn.init.zeros_(self.b_g)
        nn.init.zeros_(self.psi)
        nn.init.constant_(self.b_psi, opening(self.start))

    def gate(
        self, x: Float[Tensor, "b ..."], signal: Float[Tensor, "b ..."] | None = None, mask: Bool[Tensor, "b ..."] | None = None
    ) -> Float[Tensor, "b ..."]:
        """α: it broadcasts against `x`."""
        p = places(x, mask, self.dim, self.layout)
        return p.back(self._alpha(p, signal))

    def forward(
        self, x: Float[Tensor, "b ..."], signal: Float[Tensor, "b ..."] | None = None, mask: Bool[Tensor, "b ..."] | None = None
    ) -> Float[Tensor, "b ..."]:
        """x ⊙ α, shaped as `x`."""
        p = places(x, mask, self.dim, self.layout)
        return p.back(p.x * self._alpha(p, signal))

    def step(
        self,
        x: Float[Tensor, "b ..."],
        state: GateState | None = None,
        signal: Float[Tensor, "b ..."] | None = None,
        mask: Bool[Tensor, "b ..."] | None = None,
    ) -> tuple[Float[Tensor, "b ..."], GateState]:
        """The next piece of a sequence with its piece of the signal; nothing has to be kept."""
        check_steps(self, pools=False)
        before = state or GateState()
        y = self.forward(x, signal, mask)
        return y, GateState(before.seen + y.shape[1 if self.layout == "stream" else 2])

    def _alpha(self, p: Places, signal: Float[Tensor, "b ..."] | None) -> Float[Tensor, "b n 1"]:
        joint = torch.relu(p.x @ self.w_x + self._seen_from(p, signal) + self.b_g)
        return torch.sigmoid(joint @ self.psi[:, None] + self.b_psi)

    def _seen_from(self, p: Places, signal: Float[Tensor, "b ..."] | None) -> Float[Tensor, "b n_or_1 a"]:
        if signal is None:
            self._check_width(self.dim)
            return p.x @ self.w_g
        g = places(signal, None, self.signal_dim, self.layout)
        if g.x.shape[0] not in (1, p.x.shape[0]):
            raise ShapeError(f"AttentionGate's signal has the batch of x or one row: x has {p.x.shape[0]}, the signal {g.x.shape[0]}")
        projected = g.x @ self.w_g
        if g.grid == p.grid or g.x.shape[1] == 1:
            return projected
        if self.layout == "stream" or self.causal:
            raise ShapeError(f"AttentionGate's signal has as many places as x or one for all: x has {p.grid[0]}, the signal {g.grid[0]}")
        mode = "bilinear" if self.layout == "2d" else "linear"
        resampled = F.interpolate(g.back(projected), size=p.grid, mode=mode, align_corners=False)
        return rearrange(resampled, "b a ... -> b (...) a")

    def _check_width(self, dim: int) -> None:
        if self.signal_dim != dim:
            raise ShapeError(
                f"AttentionGate reads a signal {self.signal_dim} wide, and x, {dim} wide, cannot stand in for it: pass signal="
            )
