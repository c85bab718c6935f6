"""Normalised AOPC: how far an order of deletion is from the worst order there is to the best, so that models can be compared.

Edin et al. 2024, arXiv 2408.08137: AOPC = 1/n Σ_k p(x) - p(x without the first k); its bounds for each input by beam search over orders
(exact where the beam holds every set). Long inputs are taken as 16 runs of units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.explanations.subject import Subject

MOST: Final = 16  # units, or runs of them: the search tries n²/2 deletions for each beam


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """A subject whose units are runs of units, equal but for one."""

    subject: Subject
    owner: Tensor  # (n,): the run of each unit
    count: int
    replacement: str | None

    @classmethod
    def of(cls, subject: Subject, most: int, replacement: str | None) -> Runs:
        """At most `most` runs."""
        count = min(most, subject.count)
        return cls(subject, torch.arange(subject.count) * count // subject.count, count, replacement)

    def lost(self, gone: Bool[Tensor, "s r"]) -> Float[Tensor, " s"]:
        """p(answer) lost without some of the runs."""
        kept = torch.cat([self.subject.whole(), ~gone[:, self.owner]])
        found = self.subject.probability(self.subject.scored(kept, self.replacement))
        return found[0] - found[1:]

    def total(self, scores: Float[Tensor, " n"]) -> Float[Tensor, " r"]:
        """The sum of each run's scores."""
        return torch.zeros(self.count, dtype=scores.dtype).index_add(0, self.owner, scores)


def naopc(
    subject: Subject, scores: Sequence[Float[Tensor, " n"]], beam: int = 5, most: int = MOST, replacement: str | None = None
) -> list[float | None]:
    """The place of each explanation between the worst order (0) and the best (1); None where all orders are alike."""
    runs = Runs.of(subject, most, replacement)
    low, high = -searched(runs, beam, -1.0), searched(runs, beam, 1.0)
    if high - low <= 1e-9:
        return [None for _ in scores]
    return [(followed(runs, runs.total(each).argsort(descending=True, stable=True)) - low) / (high - low) for each in scores]


def followed(runs: Runs, order: Tensor) -> float:
    """The AOPC of one order."""
    gone = torch.arange(1, runs.count + 1)[:, None] > order.argsort()
    return float(runs.lost(gone).mean())


def searched(runs: Runs, beam: int, sign: float) -> float:
    """The highest AOPC, times `sign`, that a beam search over orders finds."""
    sets, sums = torch.zeros(1, runs.count, dtype=torch.bool), torch.zeros(1, dtype=torch.float64)
    for _ in range(runs.count):
        longer, totals = grown(sets, sums)
        different, back = torch.unique(longer, dim=0, return_inverse=True)
        best = torch.full((len(different),), -torch.inf, dtype=torch.float64).scatter_reduce(0, back, totals, "amax")
        best = best + sign * runs.lost(different)
        kept = best.topk(min(beam, len(best))).indices
        sets, sums = different[kept], best[kept]
    return float(sums.max()) / runs.count


def grown(sets: Bool[Tensor, "b r"], sums: Float[Tensor, " b"]) -> tuple[Tensor, Tensor]:
    """Each set with each further run, and the sum that led to it."""
    rows, units = (~sets).nonzero(as_tuple=True)
    longer = sets[rows].clone()
    longer[torch.arange(len(rows)), units] = True
    return longer, sums[rows]
