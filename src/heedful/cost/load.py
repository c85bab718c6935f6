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
    `grain`: widths take as long as the next multiple of it. `times`: as much as on tensors that lie dense, head by head.

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
    times: float = 1.0

    @property
    def timed(self) -> Sizes:
        """The sizes, widths rounded up to the grain."""
        s = self.sizes
        return s if self.grain == 1 else replace(s, d=-(-s.d // self.grain) * self.grain, v=-(-s.v // self.grain) * self.grain)

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
