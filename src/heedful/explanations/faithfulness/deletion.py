"""Comprehensiveness and sufficiency: what the answer loses without the units that count most, and what it loses with them alone.

DeYoung et al. 2020, arXiv 1911.03429, §4.2: comprehensiveness p(x) - p(x without the top share), sufficiency p(x) - p(the top share
alone), each averaged over several shares (the area over the perturbation curve). High and low are good.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.explanations.subject import Subject

FRACTIONS: Final = (0.01, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class Curve:
    """p(answer) with everything, and the two losses at each fraction."""

    whole: float
    fractions: tuple[float, ...]
    without: tuple[float, ...]
    alone: tuple[float, ...]

    @property
    def comprehensiveness(self) -> float:
        """The mean loss without the top units."""
        return sum(self.without) / len(self.without)

    @property
    def sufficiency(self) -> float:
        """The mean loss with the top units alone."""
        return sum(self.alone) / len(self.alone)

    @property
    def balance(self) -> float:
        """Comprehensiveness less sufficiency: one number by which methods are ranked."""
        return self.comprehensiveness - self.sufficiency


def curves(
    subject: Subject, scores: Sequence[Float[Tensor, " n"]], fractions: Sequence[float] = FRACTIONS, replacement: str | None = None
) -> list[Curve]:
    """The curve of each of several explanations of one input, in as few batches as they fit."""
    tops = torch.stack([top(each, fraction) for each in scores for fraction in fractions])
    kept = torch.cat([subject.whole(), ~tops, tops])
    different, back = torch.unique(kept, dim=0, return_inverse=True)
    found = subject.probability(subject.scored(different, replacement))[back]
    whole, lost = float(found[0]), (found[0] - found[1:]).view(2, len(scores), len(fractions)).tolist()
    return [Curve(whole, tuple(fractions), tuple(lost[0][i]), tuple(lost[1][i])) for i in range(len(scores))]


def top(scores: Float[Tensor, " n"], fraction: float) -> Bool[Tensor, " n"]:
    """The units with the highest scores, that share of them, one at least; the first of equals.

    >>> top(torch.tensor([0.1, 3.0, 2.0, -5.0]), 0.5).tolist()
    [False, True, True, False]
    """
    count = max(1, math.ceil(fraction * len(scores) - 1e-9))
    chosen = torch.zeros(len(scores), dtype=torch.bool)
    chosen[scores.argsort(descending=True, stable=True)[:count]] = True
    return chosen
