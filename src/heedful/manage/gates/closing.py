"""Gates below a threshold closed for good, and what they close not computed."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.layers.gates.gate import GateState, SelfGate
from heedful.layers.gates.layout import Places
from heedful.layers.gates.pool import Kept, mean, running_mean
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation


@final
class ClosedChannels(SelfGate):
    """Squeeze and excitation of which some channels stay shut: their gates are not computed, and they come out as zeros.

    What makes those channels can then be sliced out of the layer before.

    >>> gate = ClosedChannels(SqueezeExcitation(8), torch.tensor([0, 3]))
    >>> gate(torch.ones(1, 2, 8))[0, 0].nonzero().flatten()
    tensor([0, 3])
    """

    def __init__(self, gate: SqueezeExcitation, open: Int[Tensor, " n"]) -> None:
        super().__init__(gate.dim, gate.layout, gate.causal)
        self.inner = gate
        self.register_buffer("open", open, persistent=False)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n_or_1 n"], Kept]:
        """The open channels' gates, and the running sum and count."""
        inner, open = self.inner, self.get_buffer("open")
        pooled, kept = running_mean(p.x, p.real, state.kept) if self.causal else (mean(p.x, p.real), ())
        z = pooled @ inner.w_a
        squeezed = z if inner.form == "literal" else torch.relu(z) if inner.form == "relu" else torch.tanh(z)
        logits = squeezed @ inner.w_s[:, open] + inner.b[open]
        return torch.sigmoid(torch.tanh(logits) if inner.form == "literal" else logits), kept

    def gated(self, p: Places, values: Float[Tensor, "b n_or_1 n"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ g where it is open."""
        open = self.get_buffer("open")
        return torch.zeros_like(p.x).index_copy(-1, open, p.x[..., open] * values)


@final
class ClosedPlaces(SelfGate):
    """Positional weighting that does nothing for places whose weight is near zero: p x W_w is computed for the others alone.

    >>> gate = ClosedPlaces(PositionalWeighting(8, length=5), 0.1)
    >>> x = torch.randn(1, 5, 8)
    >>> torch.equal(gate(x), x)                                # at the start p = 0 everywhere
    True
    """

    pools = False

    def __init__(self, gate: PositionalWeighting, threshold: float) -> None:
        super().__init__(gate.dim, gate.layout, gate.causal)
        self.inner, self.threshold = gate, threshold

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n 1"], Kept]:
        """p, zero where it is under the threshold."""
        found, kept = self.inner.values(p, state)
        return torch.where(self.closed(found), 0.0, found), kept

    def closed(self, found: Float[Tensor, "b n 1"]) -> Bool[Tensor, "b n 1"]:
        """Which places are under it."""
        return found.abs() < self.threshold

    def gated(self, p: Places, values: Float[Tensor, "b n 1"], state: GateState) -> Float[Tensor, "b n c"]:
        """(p ⊙ x) W_w for the open places, + x W_x."""
        y = p.x @ self.inner.w_x
        flat, open = (values * p.x).flatten(0, 1), values.flatten().nonzero().flatten()
        return y.flatten(0, 1).index_add(0, open, flat[open] @ self.inner.w_w).view_as(y)
