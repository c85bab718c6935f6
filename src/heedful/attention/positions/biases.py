"""What a position scheme adds to the scores, for queries and keys that stand at their places already."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.positions.position import Position


@final
class Biases(Position):
    """The scheme's biases; queries and keys pass untouched.

    >>> from heedful.positions import ALiBi
    >>> Biases(ALiBi()).bias(8, torch.tensor([2]), torch.tensor([0]))[0].item()
    -1.0
    """

    adds_bias = True

    def __init__(self, scheme: Position) -> None:
        super().__init__()
        self.scheme, self.name, self.shifts = scheme, scheme.name, scheme.shifts

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "#h q k"] | None:
        """As the scheme's."""
        return self.scheme.bias(heads, q, k)

    def relative(self, heads: int, q_len: int, k_len: int, device: torch.device) -> Float[Tensor, "#h n"] | None:
        """As the scheme's."""
        return self.scheme.relative(heads, q_len, k_len, device)
