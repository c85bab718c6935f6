"""A rule for certain lengths, cut into blocks of 64 x 64 pairs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.spans import BLOCK, Edges


@dataclass(frozen=True, slots=True)
class Grid:
    """A rule for certain lengths, cut into blocks; rows of blocks are numbered over sequences, heads and query blocks."""

    rule: Mask
    batch: int
    heads: int
    lengths: Lengths
    device: torch.device

    @property
    def rows(self) -> int:
        """Blocks of queries."""
        return -(-self.lengths.q // BLOCK)

    @property
    def columns(self) -> int:
        """Blocks of keys."""
        return -(-self.lengths.k // BLOCK)

    def places(self, row: Int64[Tensor, " n"]) -> tuple[Tensor, Tensor, Tensor]:
        """The sequence, the head and the query block of rows."""
        if self.batch == self.heads == 1:
            none = torch.zeros_like(row)
            return none, none, row
        return row // (self.heads * self.rows), row // self.rows % self.heads, row % self.rows

    def queries(self, block: Int64[Tensor, " n"]) -> Edges:
        """The positions at the edges of query blocks."""
        low = block * BLOCK + self.lengths.offset
        return Edges(low, (low + (BLOCK - 1)).clamp(max=self.lengths.k - 1))

    def keys(self, column: Int64[Tensor, " n"]) -> Edges:
        """The positions at the edges of key blocks."""
        low = column * BLOCK
        return Edges(low, (low + (BLOCK - 1)).clamp(max=self.lengths.k - 1))


@dataclass(slots=True)
class Found:
    """Blocks by row and column, in order, and for each whether all of it is certainly allowed."""

    row: Int64[Tensor, " n"]
    column: Int64[Tensor, " n"]
    every: Bool[Tensor, " n"]
