"""BigBird: near blocks, a few blocks that all see and that see all, and some by chance (Zaheer et al. 2020, arXiv 2007.14062)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool
from torch import Tensor

from heedful.attention.masks.arguments import seed, whole
from heedful.attention.masks.chance import drawn
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth, four


@final
@dataclass(frozen=True, repr=False)
class BigBird(Mask):
    """Blocks of `block` positions: `window` of them around the query's own, the first `sinks`, and `random` of the rest.

    An even window has its extra block before. The first `sinks` blocks see everything and are seen by everything. The
    random blocks are drawn, once for all positions of a block, from those that are not seen anyway; more keys change the
    draw. Like the paper's, the pattern looks ahead: `& Causal()` where that is not wanted.

    >>> print(BigBird(block=1, window=3, sinks=1, random=1, seed=0).draw(8, 8))
    ■■■■■■■■
    ■■■□□■□□
    ■■■■□■□□
    ■□■■■□□■
    ■■□■■■□□
    ■□□□■■■■
    ■■□□□■■■
    ■□□□□■■■
    """

    block: int
    window: int = 3
    sinks: int = 1
    random: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("block", self.block, 1),
            ("window", self.window, 1),
            ("sinks", self.sinks, 0),
            ("random", self.random, 0),
        ):
            whole("BigBird", name, value, least)
        seed("BigBird", self.seed)

    @property
    def stable(self) -> bool:
        """More keys change the draw, if there is one."""
        return self.random == 0

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule, on block numbers."""
        return self._seen(q // self.block, k // self.block, -(-lengths.k // self.block))

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The same, asking once for each pair of blocks."""
        self.fits(Lengths(q_len, k_len))
        at = torch.device("cpu" if device is None else device)
        first, last = (i + k_len - q_len for i in (q_start, max(q_stop - 1, q_start)))
        low, blocks = first // self.block, -(-k_len // self.block)
        seen = self._seen(torch.arange(low, last // self.block + 1, device=at)[:, None], torch.arange(blocks, device=at), blocks)
        q, k = torch.arange(first, first + q_stop - q_start, device=at), torch.arange(k_len, device=at)
        return four(seen[q // self.block - low][:, k // self.block])

    def _seen(self, row: Index, column: Index, blocks: int) -> Truth:
        """Which of the blocks a row of blocks sees."""
        back, ahead = self.window // 2, (self.window - 1) // 2
        near = (column >= row - back) & (column <= row + ahead)
        shared = (column < self.sinks) | ((row >= 0) & (row < self.sinks))
        if self.random == 0:
            return near | shared
        return near | shared | self._by_chance(row, column, blocks)

    def _by_chance(self, row: Index, column: Index, blocks: int) -> Truth:
        """Among the blocks that are neither near nor shared, counted from the left with those taken out."""
        low = (row - self.window // 2).clamp(self.sinks, max(blocks, self.sinks))
        high = (row + (self.window - 1) // 2 + 1).clamp(self.sinks, max(blocks, self.sinks))
        rank = (column - self.sinks).where(column < low, column - self.sinks - (high - low))
        free = (column >= self.sinks) & ((column < low) | (column >= high))
        return free & drawn(self.seed, row, rank, max(blocks - self.sinks, 0) - (high - low), self.random)
