"""What a backend computes of a call: the kernel, the sizes it runs at, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace

from heedful.cost import attention
from heedful.cost.attention import Sizes
from heedful.cost.formulas import Cost


@dataclass(frozen=True, slots=True)
class Load:
    """`kernel` names the way of computing whose time is known, "sdpa causal" say; `sizes.density` is the share of the pairs
    that it computes. `pieces`: it runs so many times, one after another. `backward`: the gradients of q, k and v too.
    `grain`: widths take as long as the next multiple of it; `rows`: queries likewise. `times`: as much as on tensors that lie
    dense, head by head.

    >>> once = Load("sdpa", Sizes(b=1, h=8, g=8, q=100, k=100, d=64, v=64))
    >>> once.cost().operations == 4 * 8 * 100 * 100 * 64
    True
    """

    kernel: str
    sizes: Sizes
    pieces: int = 1
    backward: bool = False
    device: str = "cpu"
    grain: int = 1
    rows: int = 1
    times: float = 1.0

    @property
    def timed(self) -> Sizes:
        """The sizes whose time it takes: widths and queries rounded up. What is computed for nothing is no operation of the call."""
        s = self.sizes
        if self.grain == self.rows == 1:
            return s
        return replace(s, d=filled(s.d, self.grain), v=filled(s.v, self.grain), q=filled(s.q, self.rows))

    @property
    def materialised(self) -> bool:
        """Whether scores and weights are written to memory."""
        return self.kernel.startswith("naive")

    def cost(self) -> Cost:
        """Operations and bytes, by formula."""
        once = attention.forward(self.sizes, materialised=self.materialised)
        if self.backward:
            once = once + attention.backward(self.sizes, materialised=self.materialised)
        return self.pieces * once


def filled(size: int, grain: int) -> int:
    """The next multiple of the grain.

    >>> filled(1, 64), filled(64, 64), filled(65, 64)
    (64, 64, 128)
    """
    return -(-size // grain) * grain
