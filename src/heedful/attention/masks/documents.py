"""Documents: several texts packed into one sequence do not see each other (Krell et al. 2021, arXiv 2107.02027, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.arguments import integers
from heedful.attention.masks.density import share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
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

    def density(self, q_len: int, k_len: int) -> float:
        """Queries times keys of each document."""
        self.fits(Lengths(q_len, k_len))
        counted = [_pairs(row, q_len) for row in self.ids]
        return share(sum(counted), q_len * max(len(counted), 1), k_len)


def _pairs(ids: Int[Tensor, " n"], q_len: int) -> int:
    keys, queries = ids.sort().values, ids[len(ids) - q_len :].contiguous()
    seen = torch.searchsorted(keys, queries, right=True) - torch.searchsorted(keys, queries)
    return int(seen.sum())
