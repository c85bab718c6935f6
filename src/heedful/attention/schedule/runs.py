"""Runs of key blocks next to each other."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Int32, Int64
from torch import Tensor
from torch.nn import functional


class Runs(NamedTuple):
    """Runs as long as they can be: run x is of row `row[x]` and has the key blocks `first[x]` ... `stop[x]` - 1.

    Its entries begin with `entry[x]`. `partial` says whether any block of the run is held in part; which ones, `tile` of its entries says.
    """

    row: Int32[Tensor, " m"]
    first: Int32[Tensor, " m"]
    stop: Int32[Tensor, " m"]
    entry: Int64[Tensor, " m"]
    partial: Bool[Tensor, " m"]


def joined(row: Int32[Tensor, " n"], column: Int32[Tensor, " n"], tile: Int32[Tensor, " n"]) -> Runs:
    """The runs of entries sorted by row and column."""
    broken = (row.diff() != 0) | (column.diff() != 1)
    begins = functional.pad(broken, (1, 0), value=True)[: len(row)]
    entry = begins.nonzero().flatten()
    end = functional.pad(entry, (0, 1), value=len(row))[1:]
    held = functional.pad((tile >= 0).long().cumsum(0), (1, 0))
    return Runs(row[entry], column[entry], column[end - 1] + 1, entry, held[end] > held[entry])
