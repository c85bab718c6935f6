"""The default: one quick look at everything, then the truth about what it points at.

The units that `quick` ranks first by size are taken away one at a time, and each gets what the answer's log-probability really lost. The
others keep the quick estimate, brought to the measured scale and never above what was measured. At most 20 forward passes at any length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.methods.quick import Quick
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class Measured(Method):
    """Measured changes of log p for the `top` units of the quick look, estimates for the rest.

    >>> Measured().top
    16
    """

    name: ClassVar[str] = "measured"
    title: ClassVar[str] = "measured change of log p when taken away"
    source: ClassVar[str] = "Ali et al. 2022, arXiv 2202.07304, then leave-one-out"
    signed: ClassVar[bool] = True
    top: int = 16
    replacement: str | None = None

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return None if subject.count <= self.top else subject.no_gradients

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """Measured where it counts most, estimated elsewhere."""
        first = Quick().scores(subject) if subject.no_gradients is None else torch.zeros(subject.count, dtype=torch.float64)
        best = first.abs().topk(min(self.top, subject.count)).indices
        lost = taken(subject, best, self.replacement)
        return settled(first, best, lost)

    def passes(self, subject: Subject) -> int:
        """The quick look's three, one with everything, one for each unit measured."""
        return (3 if subject.no_gradients is None else 0) + 1 + min(self.top, subject.count)


def taken(subject: Subject, units: Int[Tensor, " m"], replacement: str | None) -> Float[Tensor, " m"]:
    """What log p loses without each of these units."""
    kept = torch.ones(len(units) + 1, subject.count, dtype=torch.bool)
    kept[torch.arange(1, len(units) + 1), units] = False
    found = subject.scored(kept, replacement)
    return found[0] - found[1:]


def settled(first: Float[Tensor, " n"], units: Int[Tensor, " m"], lost: Float[Tensor, " m"]) -> Float[Tensor, " n"]:
    """The measured values at `units`; elsewhere the estimates times the slope of measured on estimated, within the measured range.

    >>> settled(torch.tensor([4.0, 2.0, 1.0]), torch.tensor([0, 1]), torch.tensor([2.0, 1.0])).tolist()
    [2.0, 1.0, 0.5]
    """
    at = first[units]
    slope = (at * lost).sum() / at.square().sum() if bool(at.any()) else at.new_zeros(())
    bound = lost.abs().median()
    scores = (first * slope.clamp(min=0)).clamp(-bound, bound)
    scores[units] = lost
    return scores
