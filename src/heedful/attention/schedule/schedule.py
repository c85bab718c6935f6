"""A schedule: for each block of queries the blocks of keys that hold something, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int32, Int64
from torch import Tensor

from heedful.attention.masks.spans import BLOCK
from heedful.attention.masks.words import counted, turned, unpacked
from heedful.attention.schedule.runs import Runs, joined

WHOLE = -1


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """Blocks of 64 x 64 pairs, those that hold something, sorted by query block and key block.

    Row r = (b heads + h) rows + i, of sequence b, head h and query block i, owns the entries start[r] ... start[r + 1] - 1.
    `column` is an entry's key block. `tile` is -1 where every pair of the block is allowed, else the index of its 64 words
    in `bits`: query i of the block may attend to key j of it where bit j of word i is set. Pairs beyond the last query or
    key are never set, and do not keep a block from being whole. `batch` and `heads` are 1 where all are alike.

    `t_start`, `t_row`, `t_tile` and `t_bits` are the same by key blocks, for what runs over queries: made when first read.

    >>> from heedful.attention.schedule.cache import schedule
    >>> from heedful.masks import Causal, Window
    >>> one = schedule(Causal() & Window(64), 1, 1, 200, 200, torch.device("cpu"))
    >>> one
    <schedule of 200 queries and 200 keys: 7 blocks of 16, 7 of them in part>
    >>> one.start, one.column
    (tensor([0, 1, 3, 5, 7], dtype=torch.int32), tensor([0, 0, 1, 1, 2, 2, 3], dtype=torch.int32))
    """

    q_len: int
    k_len: int
    batch: int
    heads: int
    start: Int32[Tensor, " r"]
    column: Int32[Tensor, " n"]
    tile: Int32[Tensor, " n"]
    bits: Int64[Tensor, "t 64"]

    @property
    def rows(self) -> int:
        """How many blocks of queries there are."""
        return -(-self.q_len // BLOCK)

    @property
    def columns(self) -> int:
        """How many blocks of keys there are."""
        return -(-self.k_len // BLOCK)

    @property
    def entries(self) -> int:
        """How many blocks hold something, of all sequences and heads it tells apart."""
        return len(self.column)

    @property
    def nbytes(self) -> int:
        """The bytes it holds, without those made when first read."""
        return sum(x.nbytes for x in (self.start, self.column, self.tile, self.bits))

    @cached_property
    def row(self) -> Int32[Tensor, " n"]:
        """The row of each entry."""
        counts = self.start.diff()
        return torch.repeat_interleave(torch.arange(len(counts), dtype=torch.int32, device=counts.device), counts)

    @cached_property
    def pairs(self) -> int:
        """How many pairs are allowed, of all sequences and heads it tells apart."""
        whole = self.tile < 0
        high = (self.q_len - self.row[whole] % max(self.rows, 1) * BLOCK).clamp(max=BLOCK)
        wide = (self.k_len - self.column[whole] * BLOCK).clamp(max=BLOCK)
        held = counted(self.bits).sum(1)[self.tile[~whole]]
        return int((high.long() * wide).sum()) + int(held.sum())

    def density(self) -> float:
        """The share of the pairs that are allowed; 0.0 where there are none."""
        every = self.batch * self.heads * self.q_len * self.k_len
        return self.pairs / every if every else 0.0

    def share(self) -> float:
        """The share of the blocks that hold something: what a kernel computes of the whole; 0.0 where there are none."""
        every = self.batch * self.heads * self.rows * self.columns
        return self.entries / every if every else 0.0

    def runs(self) -> Runs:
        """The entries as runs of key blocks next to each other, for engines that want few large products."""
        return self._runs

    @cached_property
    def _runs(self) -> Runs:
        return joined(self.row, self.column, self.tile)

    def table(self, entries: Int64[Tensor, " n"]) -> Bool[Tensor, "n 64 64"]:
        """The pairs of some of the entries that are held in part (whose `tile` is not -1)."""
        return unpacked(self.bits[self.tile[entries]][..., None])

    @property
    def t_start(self) -> Int32[Tensor, " c"]:
        """Where the entries of key block j begin among those sorted by key block, row (b heads + h) columns + j."""
        return self._turned[0]

    @property
    def t_row(self) -> Int32[Tensor, " n"]:
        """The query block of each entry, in that order."""
        return self._turned[1]

    @property
    def t_tile(self) -> Int32[Tensor, " n"]:
        """The tile of each entry, in that order."""
        return self._turned[2]

    @cached_property
    def t_bits(self) -> Int64[Tensor, "t 64"]:
        """The words of the tiles by key: bit i of word j."""
        return turned(self.bits)

    @cached_property
    def _turned(self) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns = max(self.rows, 1), self.columns
        owner = self.row // rows * columns + self.column
        order = owner.argsort(stable=True)
        counts = torch.bincount(owner, minlength=self.batch * self.heads * columns)
        return starts(counts), (self.row % rows)[order], self.tile[order]

    def __repr__(self) -> str:
        of = f"{self.batch * self.heads * self.rows * self.columns}, {int((self.tile >= 0).sum())} of them in part"
        return f"<schedule of {self.q_len} queries and {self.k_len} keys: {self.entries} blocks of {of}>"


def starts(counts: Int64[Tensor, " r"]) -> Int32[Tensor, " s"]:
    """Where each begins whose sizes these are, and where the last ends."""
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0)).to(torch.int32)
