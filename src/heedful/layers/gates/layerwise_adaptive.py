"""Layer-wise adaptive attention (LAA): each layer learns how much attention it spends, and where.

The source article writes W_a X + W_w W_p X + W_x X; here a is a gate that reads x, so that it can be priced. Skipping what
is not worth it follows adaptive computation (Graves 2016, arXiv 1603.08983) and mixture of depths (Raposo 2024, arXiv 2404.02258).
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.layers.gates.gate import GateState, SelfGate
from heedful.layers.gates.layout import Layout, Places, places
from heedful.layers.gates.meter import Meter, average
from heedful.layers.gates.pool import Kept
from heedful.layers.gates.positional_weighting import PositionalWeighting, positions


@final
class LayerwiseAdaptiveAttention(SelfGate):
    """y = (p ⊙ x) W_w + x W_x + a ⊙ x with p as in `PositionalWeighting` and a = σ(x · w_l + b_l), one for each layer.

    >>> gate = LayerwiseAdaptiveAttention(32, length=100)
    >>> x = torch.randn(2, 7, 32)
    >>> gate(x).shape, gate.gate(x).shape
    (torch.Size([2, 7, 32]), torch.Size([2, 7, 1]))
    >>> torch.equal(gate(x), x)                                # the starting point: p = 0, a = 1/2, W_x = (1 - 1/2) I
    True
    >>> gate.spend(x).item()
    0.5

    Spelt out for one sequence:

        p[t] = x[t] @ w_p + e[t]
        a[t] = sigmoid(x[t] @ w_l + b_l)
        y[t] = (p[t] * x[t]) @ W_w + x[t] @ W_x + a[t] * x[t]

    The start is the identity because w_p = 0, e = 0, w_l = 0, b_l = logit(start) and W_x = (1 - start) I: the two terms
    left add up to x, to the last bit for start = 1/2.

    As a resource: `gate(x)` also scales the attention of a block, x + a ⊙ attention(x); `spend(x)`, the differentiable
    mean of a, goes into a penalty (`spending` collects it over a model); and `keeps(x)` says at inference which tokens
    are worth the block at all, by `threshold`. A place reads itself alone, so the gate is causal whatever `causal` says.

    Args:
        dim: channels c, or width m of a stream.
        length: the longest sequence, padding included; (height, width) for images.
        start: a at initialisation.
        threshold: a under which a token skips its block at inference; 0 keeps all.
        layout, causal: see `Gate`.

    Raises:
        ShapeError: a place beyond `length`; features or a mask of another shape.
        UsageError: an unknown layout, a length that does not fit it, a start outside (0, 1), a threshold outside [0, 1].
    """

    pools = False

    def __init__(
        self,
        dim: int,
        length: int | tuple[int, int],
        *,
        start: float = 0.5,
        threshold: float = 0.0,
        layout: Layout = "stream",
        causal: bool = False,
    ) -> None:
        super().__init__(dim, layout, causal)
        if not 0.0 <= threshold <= 1.0:
            raise UsageError(f"LayerwiseAdaptiveAttention's threshold lies in [0, 1], found {threshold}")
        self.start, self.threshold = start, threshold
        self.positional = PositionalWeighting(dim, length, layout=layout, causal=causal)
        self.meter = Meter(dim, start)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        self.positional.reset_parameters()
        self.meter.reset_parameters()
        with torch.no_grad():
            self.positional.w_x.mul_(1.0 - self.start)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n 1"], Kept]:
        """a; kept is the padding before the first real place of each row, where there is any."""
        kept = () if self.layout == "2d" else positions(p, state)[1]
        return self.meter(p.x, p.real), kept

    def gated(self, p: Places, values: Float[Tensor, "b n 1"], state: GateState) -> Float[Tensor, "b n c"]:
        """(p ⊙ x) W_w + x W_x + a ⊙ x."""
        weights, _ = self.positional.values(p, state)
        return self.positional.gated(p, weights, state) + values * p.x

    def spend(self, x: Float[Tensor, "b ..."], mask: Bool[Tensor, "b ..."] | None = None) -> Float[Tensor, ""]:
        """The mean of a over the real places of the batch, between 0 and 1, with its gradient."""
        p = places(x, mask, self.dim, self.layout)
        return average(self.meter(p.x, p.real), p.real)

    def keeps(self, x: Float[Tensor, "b ..."], mask: Bool[Tensor, "b ..."] | None = None) -> Bool[Tensor, "b ..."]:
        """Which places their block is run for, shaped as a mask: all in training, those with a >= threshold after it."""
        p = places(x, mask, self.dim, self.layout)
        kept = (self.meter(p.x, p.real) >= self.threshold).squeeze(-1)
        kept = torch.ones_like(kept) if self.training else kept
        kept = kept if p.real is None else kept & p.real
        return kept.reshape(x.shape[0], *p.grid)
