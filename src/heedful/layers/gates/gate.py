"""What a gate is: a factor for each channel or place, read from the features themselves or from a signal."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.errors import Unsupported, UsageError
from heedful.layers.gates.layout import Layout, Places, check_layout, places


@dataclass(frozen=True, slots=True)
class GateState:
    """What a gate remembers of the places before, so that a step equals the full pass.

    `seen` counts the places so far, padding included; each tensor of `kept` has the batch first. States are values: a
    step returns a new one and leaves the old as it was.
    """

    seen: int = 0
    kept: tuple[Tensor, ...] = ()

    def reorder(self, index: Int[Tensor, " beams"]) -> GateState:
        """The state of the rows `index`, as a beam search needs."""
        return GateState(self.seen, tuple(each.index_select(0, index) for each in self.kept))


class Gate(nn.Module, ABC):
    """Features in, the same features gated out, in one of three layouts.

    `layout` is "stream" (b, t, m), "1d" (b, c, l) or "2d" (b, c, h, w); `mask`, True at real places, is (b, t), (b, l) or
    (b, h, w). Masked places are not read and come out as zeros. With `causal` no place looks at a later one, and `step`
    goes through a sequence in pieces of any length.
    """

    def __init__(self, dim: int, layout: Layout, causal: bool) -> None:
        super().__init__()
        if dim < 1:
            raise UsageError(f"a gate's width is at least 1, found {dim}")
        check_layout(layout, causal)
        self.dim = dim
        self.layout: Layout = layout
        self.causal = causal

    @abstractmethod
    def gate(self, x: Float[Tensor, "b ..."], *, mask: Bool[Tensor, "b ..."] | None = None) -> Float[Tensor, "b ..."]:
        """The gate's values, to be looked at: they broadcast against `x`."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "b ..."], *, mask: Bool[Tensor, "b ..."] | None = None) -> Float[Tensor, "b ..."]:
        """The gated features, shaped as `x`."""

    @abstractmethod
    def step(
        self, x: Float[Tensor, "b ..."], state: GateState | None = None, *, mask: Bool[Tensor, "b ..."] | None = None
    ) -> tuple[Float[Tensor, "b ..."], GateState]:
        """The next piece of a sequence, gated as in the full pass, and the state for the piece after it."""

    def extra_repr(self) -> str:
        """What `print(model)` shows."""
        return f"{self.dim}, layout={self.layout!r}, causal={self.causal}"


class SelfGate(Gate):
    """A gate that reads nothing but what it gates."""

    pools = True  # whether a place's gate depends on other places, so that steps need causal=True

    @abstractmethod
    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b #n #c"], tuple[Tensor, ...]]:
        """The gate of each place, and what to keep for the next piece."""

    @abstractmethod
    def gated(self, p: Places, values: Float[Tensor, "b #n #c"], state: GateState) -> Float[Tensor, "b n c"]:
        """The features under the gate."""

    def gate(self, x: Float[Tensor, "b ..."], mask: Bool[Tensor, "b ..."] | None = None) -> Float[Tensor, "b ..."]:
        """The gate's values, to be looked at: they broadcast against `x`."""
        p = places(x, mask, self.dim, self.layout)
        return p.back(self.values(p, GateState())[0])

    def forward(self, x: Float[Tensor, "b ..."], mask: Bool[Tensor, "b ..."] | None = None) -> Float[Tensor, "b ..."]:
        """The gated features, shaped as `x`."""
        p, fresh = places(x, mask, self.dim, self.layout), GateState()
        return p.back(self.gated(p, self.values(p, fresh)[0], fresh))

    def step(
        self, x: Float[Tensor, "b ..."], state: GateState | None = None, mask: Bool[Tensor, "b ..."] | None = None
    ) -> tuple[Float[Tensor, "b ..."], GateState]:
        """The next piece of a sequence, gated as in the full pass, and the state for the piece after it."""
        check_steps(self, pools=self.pools)
        p, before = places(x, mask, self.dim, self.layout), state or GateState()
        values, kept = self.values(p, before)
        return p.back(self.gated(p, values, before)), GateState(before.seen + p.x.shape[1], kept)


def check_steps(gate: Gate, *, pools: bool) -> None:
    """Refuse to step through what has no order of time, or what would have to see the end first."""
    if gate.layout == "2d":
        raise Unsupported(f"{type(gate).__name__}.step needs an axis of time, and layout='2d' has none: call the gate on the whole image")
    if pools and not gate.causal:
        raise Unsupported(f"{type(gate).__name__}.step needs causal=True: this one reads the whole sequence before its first output")


def opening(start: float, low: float = 0.0, high: float = 1.0) -> float:
    """The logit at which sigmoid gives `start`, which lies between `low` and `high` (both left out).

    >>> opening(0.5)
    0.0
    """
    if not low < start < high:
        raise UsageError(f"a gate's start lies between {low:.3g} and {high:.3g}, found {start}")
    return math.log(start / (1.0 - start))
