"""How far the explanation of one input holds: its curve beside those of random orders."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.faithfulness.deletion import Curve, curves
from heedful.explanations.subject import Subject


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """The curve, the mean balance of random orders, and the share of them that it beats."""

    curve: Curve
    random: float
    beats: float

    @property
    def comprehensiveness(self) -> float:
        """What is lost without the top units, on average over the fractions."""
        return self.curve.comprehensiveness

    @property
    def sufficiency(self) -> float:
        """What is lost with the top units alone."""
        return self.curve.sufficiency

    @property
    def holds(self) -> bool:
        """Whether it beats 19 of 20 random orders."""
        return self.beats >= 0.95


def judged(
    subject: Subject, scores: Float[Tensor, " n"], fractions: tuple[float, ...], replacement: str | None, against: int, seed: int
) -> Faithfulness:
    """One explanation beside random orders of the same input."""
    generator = torch.Generator().manual_seed(seed)
    others = [torch.rand(subject.count, generator=generator, dtype=torch.float64) for _ in range(against)]
    own, *found = curves(subject, [scores, *others], fractions, replacement)
    balances = [curve.balance for curve in found]
    return Faithfulness(own, sum(balances) / against, sum(own.balance > each for each in balances) / against)
