"""BigBird: near blocks, a few blocks that all see and that see all, and some by chance (Zaheer et al. 2020, arXiv 2007.14062)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.arguments import seed, whole
from heedful.attention.masks.chance import draw, drawn
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth, four
from heedful.attention.masks.spans import BLOCK, Edges, Span, States, unknown
from heedful.attention.masks.words import between

# Blocks of pairs that touch more of the rule's own than this in a row are not looked at one by one.
FEW = 5


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

    def reach(self, b: Index, h: Index, q: Edges, lengths: Lengths) -> tuple[Span, ...]:
        """The near blocks, the shared ones, and one for each draw of each row of blocks."""
        low, high, blocks = q.low // self.block, q.high // self.block, -(-lengths.k // self.block)
        if (most := _most(low, high)) > FEW:
            return super().reach(b, h, q, lengths)
        sees_all = ((high >= 0) & (low < self.sinks)).long() * lengths.k
        shared = Span(0, sees_all.clamp(min=self.sinks * self.block) - 1)
        near = self._keys(low - self.window // 2, high + (self.window - 1) // 2)
        rows = [torch.minimum(low + i, high) for i in range(most)]
        return near, shared, *(self._keys(at, at) for row in rows for at in self._draws(row, blocks))

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """What the rule says of each pair of its own blocks that a block of pairs touches."""
        top, bottom, left, right = (edge // self.block for edge in (*q, *k))
        if max(_most(top, bottom), _most(left, right)) > FEW:
            return unknown(k)
        seen = self._seen(_steps(top, bottom)[..., :, None], _steps(left, right)[..., None, :], -(-lengths.k // self.block))
        return States(seen.any(-1).any(-1), seen.all(-1).all(-1))

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """A run of bits for each of its own blocks that the keys are in."""
        blocks, first, row = -(-lengths.k // self.block), k // self.block, q // self.block
        top = row.amin(-1, keepdim=True)
        rows = _steps(top, row.amax(-1, keepdim=True)).flatten(-2)
        words = torch.zeros_like(q + k)
        for column in (first + i for i in range((BLOCK - 2) // self.block + 2)):
            seen = self._seen(rows, column, blocks).gather(-1, row - top)
            words |= between(self._keys(column, column), k).where(seen, 0)
        return words

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

    def _keys(self, first: Index, last: Index) -> Span:
        """The keys of blocks `first` to `last`."""
        return Span(first * self.block, last * self.block + self.block - 1)

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
        low, high = self._near(row, blocks)
        rank = (column - self.sinks).where(column < low, column - self.sinks - (high - low))
        free = (column >= self.sinks) & ((column < low) | (column >= high))
        return free & drawn(self.seed, row, rank, max(blocks - self.sinks, 0) - (high - low), self.random)

    def _near(self, row: Index, blocks: int) -> tuple[Index, Index]:
        """The first of the near blocks that are not shared, and the one after the last."""
        low, high = row - self.window // 2, row + (self.window - 1) // 2 + 1
        return low.clamp(self.sinks, max(blocks, self.sinks)), high.clamp(self.sinks, max(blocks, self.sinks))

    def _draws(self, row: Index, blocks: int) -> list[Index]:
        """The blocks that a row of blocks draws, one for each turn, the last again where there are more turns than blocks."""
        low, high = self._near(row, blocks)
        count = (max(blocks - self.sinks, 0) - (high - low)).clamp(min=1)
        strata = count.clamp(max=self.random)
        ranks = [draw(self.seed, row, (strata - 1).clamp(max=turn), count, strata) for turn in range(self.random)]
        return [(rank + self.sinks).where(rank + self.sinks < low, rank + self.sinks + high - low) for rank in ranks]


def _most(low: Index, high: Index) -> int:
    """The number of whole numbers from low to high, where it is largest."""
    return int((high - low).max()) + 1


def _steps(low: Index, high: Index) -> Index:
    """The whole numbers from low to high on a new axis, the last again where they are fewer than elsewhere."""
    return torch.stack([torch.minimum(low + i, high) for i in range(_most(low, high))], -1)
