"""How many of its tokens an encoder goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heedful.spec.check import require


@dataclass(frozen=True)
class DroppingSpec:
    """`after` these layers (counted from 1) the share `keep` of a text's tokens goes on: those that were attended to most.

    >>> DroppingSpec(after=(1, 2), keep=0.7).keep
    0.7
    """

    after: tuple[int, ...]
    keep: float = 1.0

    def __post_init__(self) -> None:
        rising = bool(self.after) and list(self.after) == sorted({*self.after}) and self.after[0] >= 1
        require(rising, "after", f"names layers from 1 on, each once and rising: found {list(self.after)}")
        require(0.0 < self.keep <= 1.0, "keep", f"is a share above 0 and at most 1, found {self.keep:g}")


def before_the_end(after: Sequence[int], layers: int) -> None:
    """Tokens are dropped before the last layer."""
    require(not after or after[-1] < layers, "dropping", f"stands after layers 1 to {layers - 1} of {layers}: found {list(after)}")
