"""A position scheme for some of the heads it was made for."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.positions.position import Position


@final
class OfHeads(Position):
    """The scheme's biases of the chosen heads among `total`, for queries and keys that stand at their places already.

    >>> from heedful.positions import ALiBi
    >>> OfHeads(ALiBi(), 8, (6, 0)).bias(2, torch.tensor([2]), torch.tensor([0])).flatten().tolist()
    [-0.015625, -1.0]
    """

    def __init__(self, scheme: Position, total: int, heads: tuple[int, ...]) -> None:
        super().__init__()
        self.scheme, self.total, self.heads = scheme, total, heads
        self.name, self.adds_bias, self.shifts = scheme.name, scheme.adds_bias, scheme.shifts

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "#h q k"] | None:
        """The chosen heads' rows."""
        return self.chosen(self.scheme.bias(self.total, q, k))

    def relative(self, heads: int, q_len: int, k_len: int, device: torch.device) -> Float[Tensor, "#h n"] | None:
        """The chosen heads' lines."""
        return self.chosen(self.scheme.relative(self.total, q_len, k_len, device))

    def chosen(self, table: Tensor | None) -> Tensor | None:
        """The chosen heads of a table that has all of them, or one row for all."""
        if table is None or len(table) == 1:
            return table
        return table[torch.tensor(self.heads, device=table.device)]
