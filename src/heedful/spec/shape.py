"""The sizes of a single layer, where a model's layers are not all alike (as compression leaves them)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from heedful.spec.check import positive, require


@dataclass(frozen=True)
class LayerShape:
    """What one layer is made of: query `heads`, key/value heads (`kv_heads`), and the width inside its feed-forward layer.

    >>> LayerShape(heads=3, kv_heads=3, mlp_width=200).mlp_width
    200
    """

    heads: int
    kv_heads: int
    mlp_width: int

    def __post_init__(self) -> None:
        positive({"heads": self.heads, "kv_heads": self.kv_heads, "mlp_width": self.mlp_width})
        dividing(self.heads, self.kv_heads)


def dividing(heads: int, kv_heads: int, width: int | None = None) -> None:
    """The heads divide the width, unless theirs is given apart from it (None), and the key/value heads divide the heads.

    >>> dividing(4, 2, 64)
    >>> dividing(3, 1, 64)
    Traceback (most recent call last):
    heedful.spec.check.SpecError: heads: 3 heads do not divide width 64: choose a divisor or set head_dim
    """
    divides = width is None or width % heads == 0
    require(divides, "heads", f"{heads} heads do not divide width {width}: choose a divisor or set head_dim")
    require(heads % kv_heads == 0, "kv_heads", f"{kv_heads} key/value heads do not divide {heads} heads: choose a divisor")


def fitting(shapes: Sequence[LayerShape], layers: int) -> None:
    """A shape a layer, or none at all."""
    found = f"has {len(shapes)} layers, and the model {layers}: one shape a layer, or none, would work"
    require(len(shapes) in (0, layers), "shapes", found)
