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

    (`HandedChannels` is the same where what makes those channels is sliced out of the layer before.)

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
        return excited(inner, pooled @ inner.w_a, open), kept

    def gated(self, p: Places, values: Float[Tensor, "b n_or_1 n"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ g where it is open."""
        open = self.get_buffer("open")
        return torch.zeros_like(p.x).index_copy(-1, open, p.x[..., open] * values)


@final
class HandedChannels(SelfGate):
    """The same behind a layer that computes the open channels alone, and beside them z = x W_a: (b, t, n + r) in, (b, t, c) out.

    >>> inner = SqueezeExcitation(32)
    >>> gate, x = HandedChannels(inner, torch.tensor([0, 3])), torch.randn(1, 2, 32)
    >>> torch.allclose(gate(torch.cat([x[..., [0, 3]], x @ inner.w_a], dim=-1)), ClosedChannels(inner, torch.tensor([0, 3]))(x))
    True
    """

    def __init__(self, gate: SqueezeExcitation, open: Int[Tensor, " n"]) -> None:
        super().__init__(len(open) + gate.w_a.shape[1], gate.layout, gate.causal)
        self.inner = gate
        self.register_buffer("open", open, persistent=False)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n_or_1 n"], Kept]:
        """The open channels' gates, and the running sum of z and count."""
        open = self.get_buffer("open")
        z = p.x[..., len(open) :]
        pooled, kept = running_mean(z, p.real, state.kept) if self.causal else (mean(z, p.real), ())
        return excited(self.inner, pooled, open), kept

    def gated(self, p: Places, values: Float[Tensor, "b n_or_1 n"], state: GateState) -> Float[Tensor, "b n c"]:
        """x ⊙ g in the places of the open channels."""
        open = self.get_buffer("open")
        return p.x.new_zeros(*p.x.shape[:-1], self.inner.dim).index_copy(-1, open, p.x[..., : len(open)] * values)


def excited(gate: SqueezeExcitation, z: Float[Tensor, "b n r"], open: Int[Tensor, " k"]) -> Float[Tensor, "b n k"]:
    """Some channels' gates of a mean that W_a was applied to."""
    squeezed = z if gate.form == "literal" else torch.relu(z) if gate.form == "relu" else torch.tanh(z)
    logits = squeezed @ gate.w_s[:, open] + gate.b[open]
    return torch.sigmoid(torch.tanh(logits) if gate.form == "literal" else logits)


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
