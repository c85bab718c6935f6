"""Squeeze and excitation: a mean over places says how much of each channel passes (Hu 2018, arXiv 1709.01507, eq. 2-4)."""

from __future__ import annotations

import math
from typing import Literal, final, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import UsageError, unknown
from heedful.layers.gates.gate import GateState, SelfGate, opening
from heedful.layers.gates.layout import Layout, Places
from heedful.layers.gates.pool import Kept, mean, running_mean

Form = Literal["relu", "tanh", "literal"]

LOW, HIGH = 1 / (1 + math.e), math.e / (1 + math.e)  # sigmoid(-1) and sigmoid(1), between which sigmoid(tanh(.)) stays


@final
class SqueezeExcitation(SelfGate):
    """y = x ⊙ g with g = σ(W_s φ(z) + b), z the mean of x W_a over the real places (the same as the mean of x, times W_a).

    >>> gate = SqueezeExcitation(32, causal=True)
    >>> x = torch.randn(2, 7, 32)
    >>> gate(x).shape, gate.gate(x).shape
    (torch.Size([2, 7, 32]), torch.Size([2, 7, 32]))
    >>> torch.allclose(gate(x), 0.9 * x)                       # the starting point: every gate at `start`
    True
    >>> images = SqueezeExcitation(32, layout="2d")
    >>> images.gate(torch.randn(2, 32, 5, 6)).shape
    torch.Size([2, 32, 1, 1])

    Spelt out for one sequence that is read whole:

        z = sum(x[t] for t in real) / len(real)
        g = sigmoid(phi(z @ W_a) @ W_s + b)
        y[t] = x[t] * g

    With `causal` the mean at t runs over the real places 0 ... t, and every place has its own gate. At the start
    W_s = 0, and b is such that every gate is `start`; the paper has no b, and random weights that give gates of about 1/2.

    Args:
        dim: channels c, or width m of a stream.
        reduction: how many channels share one of the max(1, dim // reduction) hidden units.
        form: "relu" or "tanh" for φ, or "literal" for g = σ(tanh(W_s z + b)), which stays in (.27, .73).
        start: the gate at initialisation; by default .9, and .5 for the literal form.
        layout, causal: see `Gate`.

    Raises:
        UsageError: an unknown form or layout, or a start outside the form's range.
        ShapeError: features or a mask of another shape.
    """

    def __init__(
        self,
        dim: int,
        *,
        reduction: int = 16,
        form: Form = "relu",
        start: float | None = None,
        layout: Layout = "stream",
        causal: bool = False,
    ) -> None:
        super().__init__(dim, layout, causal)
        if form not in get_args(Form):
            raise unknown("form of SqueezeExcitation", form, get_args(Form))
        if reduction < 1:
            raise UsageError(f"SqueezeExcitation reduces the width by a factor of at least 1, found reduction={reduction}")
        self.form: Form = form
        self.start = start if start is not None else 0.5 if form == "literal" else 0.9
        hidden = max(1, dim // reduction)
        self.w_a = nn.Parameter(torch.empty(dim, hidden))
        self.w_s = nn.Parameter(torch.empty(hidden, dim))
        self.b = nn.Parameter(torch.empty(dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        literal = self.form == "literal"
        logit = opening(self.start, LOW, HIGH) if literal else opening(self.start)
        nn.init.xavier_uniform_(self.w_a)
        nn.init.zeros_(self.w_s)
        nn.init.constant_(self.b, math.atanh(logit) if literal else logit)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n_or_1 c"], Kept]:
        """g, and the running sum and count."""
        pooled, kept = running_mean(p.x, p.real, state.kept) if self.causal else (mean(p.x, p.real), ())
        return self._excite(pooled @ self.w_a), kept

    def gated(self, p: Places, values: Float[Tensor, "b n_or_1 c"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ g."""
        return p.x * values

    def _excite(self, z: Float[Tensor, "b n r"]) -> Float[Tensor, "b n c"]:
        if self.form == "literal":
            return torch.sigmoid(torch.tanh(z @ self.w_s + self.b))
        squeezed = torch.relu(z) if self.form == "relu" else torch.tanh(z)
        return torch.sigmoid(squeezed @ self.w_s + self.b)
