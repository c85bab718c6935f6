"""One quick look at everything, then the truth about what it points at; the default where there is no gradient to look by.

The units that `quick` ranks first by size are taken away one at a time, and each gets what the answer's log-probability really lost. The
others keep the quick estimate, brought to the measured scale and never above what was measured. At most 20 forward passes at any length.

Where there is no gradient to look by, eight runs of units are taken away first, and then, one at a time, the units of the runs that count
most; the units of the others share what their run lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.methods.quick import Quick
from heedful.explanations.subject import Subject

RUNS: Final = 8  # of units, where there is no gradient
QUICK: Final = 4  # passes of the quick look and of everything as it is


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
        """It serves every subject."""
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """Measured where it counts most, estimated elsewhere."""
        if subject.no_gradients is not None and subject.count > self.top:
            return halved(subject, self.top + QUICK - 1 - RUNS, self.replacement)
        first = Quick().scores(subject) if subject.no_gradients is None else torch.zeros(subject.count, dtype=torch.float64)
        best = first.abs().topk(min(self.top, subject.count)).indices
        lost = taken(subject, best, self.replacement)
        return settled(first, best, lost)

    def passes(self, subject: Subject) -> int:
        """The quick look's three, one with everything, one for each unit measured; as many without a gradient."""
        if subject.no_gradients is not None and subject.count > self.top:
            return self.top + QUICK
        return (3 if subject.no_gradients is None else 0) + 1 + min(self.top, subject.count)


def taken(subject: Subject, units: Int[Tensor, " m"], replacement: str | None) -> Float[Tensor, " m"]:
    """What log p loses without each of these units."""
    kept = torch.ones(len(units) + 1, subject.count, dtype=torch.bool)
    kept[torch.arange(1, len(units) + 1), units] = False
    found = subject.scored(kept, replacement)
    return found[0] - found[1:]


def halved(subject: Subject, most: int, replacement: str | None) -> Float[Tensor, " n"]:
    """What eight runs of units lose, shared among them, and then what `most` units of the runs that count most lose by themselves."""
    owner = torch.arange(subject.count) * RUNS // subject.count
    gone = owner == torch.arange(RUNS)[:, None]
    found = subject.scored(torch.cat([subject.whole(), ~gone]), replacement)
    lost = found[0] - found[1:]
    scores = (lost / gone.sum(1))[owner]
    order = lost.abs().argsort(descending=True, stable=True)
    units = torch.cat([(owner == run).nonzero()[:, 0] for run in order.tolist()])[:most]
    kept = torch.ones(len(units), subject.count, dtype=torch.bool)
    kept[torch.arange(len(units)), units] = False
    scores[units] = found[0] - subject.scored(kept, replacement)
    return scores


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
