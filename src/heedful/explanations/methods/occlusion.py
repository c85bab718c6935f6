"""Occlusion, or leave-one-out: what the answer's log-probability loses when a unit is taken away.

Zeiler & Fergus 2014, arXiv 1311.2901, §4.2; Li et al. 2016, arXiv 1612.08220, for words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class Occlusion(Method):
    """log p with everything, less log p without each run of `window` units; a unit of several runs gets the mean of theirs.

    `replacement` is what is done to a unit (delete, mask, baseline); the subject's usual one unless given.

    >>> Occlusion(window=2).passes.__name__
    'passes'
    """

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "change of log p when taken away"
    source: ClassVar[str] = "Zeiler & Fergus 2014, arXiv 1311.2901"
    signed: ClassVar[bool] = True
    window: int = 1
    replacement: str | None = None

    def why_not(self, subject: Subject) -> str | None:
        """It serves every subject."""
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The losses."""
        window = min(self.window, subject.count)
        runs = torch.stack([within(first, window, subject.count) for first in range(subject.count - window + 1)])
        found = subject.scored(torch.cat([subject.whole(), ~runs]), self.replacement)
        lost = (found[0] - found[1:]) / window
        return lost @ runs.double() / runs.double().sum(0)

    def passes(self, subject: Subject) -> int:
        """One for each run, and one with everything."""
        return subject.count - min(self.window, subject.count) + 2


def within(first: int, window: int, count: int) -> Bool[Tensor, " n"]:
    """The units of a run."""
    at = torch.arange(count)
    return (at >= first) & (at < first + window)
