"""Attention rollout: what passes from each place to the answer when weights and the residual stream are multiplied through the layers.

Abnar & Zuidema 2020, arXiv 2005.00928, §2.1: Ã = A / 2 + I / 2 with A the mean over heads, Ã_L ... Ã_1. Only one row of the product is
wanted, so it is multiplied from the answer downwards, a vector at a time: no n x n tensor, whatever the length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.attention import read
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import one_stream
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class Rollout(Method):
    """Reading, times Ã of every layer from the last to the first; `residual` is the share of the stream that passes a layer by.

    >>> Rollout().residual
    0.5
    """

    name: ClassVar[str] = "rollout"
    title: ClassVar[str] = "share of attention through all layers"
    source: ClassVar[str] = "Abnar & Zuidema 2020, arXiv 2005.00928"
    faithful: ClassVar[bool] = False
    residual: float = 0.5

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return one_stream(subject)

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """A share for each unit."""
        passed = subject.reading.double()
        for look in reversed(subject.looked().layers):
            passed = self.residual * passed + (1 - self.residual) * read(look, passed)
        return subject.by_unit(passed)

    def passes(self, subject: Subject) -> int:
        """One."""
        return 1
