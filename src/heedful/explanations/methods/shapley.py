"""Shapley values by sampling: what a unit adds to the answer, averaged over the orders in which units may come.

Castro, Gómez & Tejada 2009, doi 10.1016/j.cor.2008.04.004; each order is followed backwards too (antithetic: Mitchell et al. 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class Shapley(Method):
    """The mean change of log p when a unit joins those before it, over `orders` drawn by `seed` and their reverses.

    >>> Shapley(orders=4).seed
    0
    """

    name: ClassVar[str] = "shapley"
    title: ClassVar[str] = "mean change of log p when it joins others"
    source: ClassVar[str] = "Castro et al. 2009, doi 10.1016/j.cor.2008.04.004"
    signed: ClassVar[bool] = True
    orders: int = 8
    seed: int = 0
    replacement: str | None = None

    def why_not(self, subject: Subject) -> str | None:
        """It serves every subject."""
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The means."""
        generator = torch.Generator().manual_seed(self.seed)
        total = torch.zeros(subject.count, dtype=torch.float64)
        for _ in range(self.orders):
            order = torch.randperm(subject.count, generator=generator)
            for way in (order, order.flip(0)):
                total[way] += joined(subject, way, self.replacement)
        return total / (2 * self.orders)

    def passes(self, subject: Subject) -> int:
        """One for each unit of each order."""
        return 2 * self.orders * (subject.count + 1)


def joined(subject: Subject, order: Tensor, replacement: str | None) -> Float[Tensor, " n"]:
    """What each unit adds as they come in this order, in that order."""
    place = order.argsort()
    kept = torch.arange(len(order) + 1)[:, None] > place
    return subject.scored(kept, replacement).diff()
