"""Documents: several texts packed into one sequence do not see each other (Krell et al. 2021, arXiv 2107.02027, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.attention.masks.arguments import integers
from heedful.attention.masks.density import share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, Span, States, states
from heedful.errors import ShapeError


@final
@dataclass(frozen=True, repr=False, eq=False)
class Documents(Mask):
    """ids[q] == ids[k]: ids (b, n) names the document of each of the n keys; fewer queries are the last of them.

    >>> print(Documents(torch.tensor([[0, 0, 1, 1, 1]])).draw(5, 5))
    ■■□□□
    ■■□□□
    □□■■■
    □□■■■
    □□■■■
    >>> print(Documents(torch.tensor([[0, 0, 1, 1, 1]])).draw(1, 5))
    □□■■■
    """

    ids: Int[Tensor, "b n"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", integers("Documents", "ids", self.ids, "b n"))

    @classmethod
    def from_lengths(cls, *rows: Sequence[int] | Int[Tensor, " documents"]) -> Documents:
        """The documents of each sequence by their lengths, in order; `cu_seqlens.diff()` where the ends are at hand.

        >>> Documents.from_lengths([2, 3]).ids
        tensor([[0, 0, 1, 1, 1]])
        >>> Documents.from_lengths(torch.tensor([0, 2, 5], dtype=torch.int32).diff()).ids.shape
        torch.Size([1, 5])
        """
        named = [torch.arange(len(row)).repeat_interleave(torch.as_tensor(row).cpu()) for row in rows]
        if len({len(ids) for ids in named}) != 1:
            raise ShapeError(f"Documents.from_lengths takes rows each as long as the others: found rows of {[len(ids) for ids in named]}")
        home = next((row.device for row in rows if isinstance(row, Tensor)), None)
        return cls(torch.stack(named).to(home))

    @property
    def batch(self) -> int:
        """As many as there are rows of ids."""
        return self.ids.shape[0]

    @property
    def home(self) -> torch.device:
        """The device of the ids."""
        return self.ids.device

    @property
    def example(self) -> Lengths:
        """All of the ids."""
        return Lengths(self.ids.shape[1], self.ids.shape[1])

    def to(self, device: torch.device) -> Mask:
        """The same ids on `device`."""
        return self if self.ids.device == device else replace(self, ids=self.ids.to(device))

    def fits(self, lengths: Lengths) -> None:
        """One id for each key, and no more queries than keys."""
        super().fits(lengths)
        n = self.ids.shape[1]
        if lengths.k != n:
            raise ShapeError(f"{self} names the documents of {n} keys: found {lengths.k} keys")
        if lengths.q > n:
            raise ShapeError(f"{self} names the documents of {n} positions: found {lengths.q} queries, and no id for the first of them")

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        row = b * 0 if self.batch == 1 else b
        return self.ids[row, q] == self.ids[row, k]

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span | None:
        """The query's document, where every document is in one piece."""
        pieces = self._pieces()
        return None if pieces is None else self._piece(pieces, b, q)

    def _piece(self, pieces: Edges, b: Index, q: Index) -> Span:
        row = b * 0 if self.batch == 1 else b
        return Span(pieces.low[row, q], pieces.high[row, q])

    def _pieces(self) -> Edges | None:
        """The first and the last key of the document of each; None where a document comes back after others."""
        starts = torch.ones_like(self.ids, dtype=torch.bool)
        starts[:, 1:] = self.ids[:, 1:] != self.ids[:, :-1]
        if not self._whole(starts):
            return None
        place = torch.arange(self.ids.shape[1], device=self.ids.device)
        first = place.where(starts, 0).cummax(1).values
        last = place.where(starts.roll(-1, 1), len(place)).flip(1).cummin(1).values.flip(1)
        return Edges(first, last)

    def _whole(self, starts: Bool[Tensor, "b n"]) -> bool:
        """Whether there are as many documents as pieces."""
        if bool((self.ids[:, 1:] >= self.ids[:, :-1]).all()):
            return True
        ordered = self.ids.sort(1).values
        return int(starts.count_nonzero()) == int((ordered[:, 1:] != ordered[:, :-1]).count_nonzero()) + self.batch

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """Nothing where the least and the largest number of the one are beyond the other's, all where the four are one."""
        pieces = self._pieces()
        if pieces is not None:
            return states(self._piece(pieces, b, q.low), self._piece(pieces, b, q.high), k)
        row = b * 0 if self.batch == 1 else b
        q_least, q_most = self._extremes(row, q)
        k_least, k_most = self._extremes(row, k)
        apart = (q_least > k_most) | (k_least > q_most)
        return States(~apart, (q_least == k_most) & (k_least == q_most))

    def _extremes(self, row: Index, edges: Edges) -> tuple[Index, Index]:
        """The least and the largest number between the edges, from those of ever longer runs."""
        longest = int((edges.high - edges.low).max()) + 1
        least, most, reach = self.ids, self.ids, 1
        while reach < longest:
            ahead = (torch.arange(self.ids.shape[1], device=self.ids.device) + min(reach, longest - reach)).clamp(max=self.ids.shape[1] - 1)
            least, most = torch.minimum(least, least[:, ahead]), torch.maximum(most, most[:, ahead])
            reach *= 2
        return least[row, edges.low], most[row, edges.low]

    def density(self, q_len: int, k_len: int) -> float:
        """Queries times keys of each document."""
        self.fits(Lengths(q_len, k_len))
        counted = [_pairs(row, q_len) for row in self.ids]
        return share(sum(counted), q_len * max(len(counted), 1), k_len)


def _pairs(ids: Int[Tensor, " n"], q_len: int) -> int:
    keys, queries = ids.sort().values, ids[len(ids) - q_len :].contiguous()
    seen = torch.searchsorted(keys, queries, right=True) - torch.searchsorted(keys, queries)
    return int(seen.sum())
