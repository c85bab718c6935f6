"""What a layer shows of itself when it is asked to."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The weights (b, h, q, k) a layer used, before dropout, and the layer's name where it has one."""

    weights: Float[Tensor, "b h q k"]
    name: str = ""
