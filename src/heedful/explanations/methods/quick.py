"""The quick look: one backward pass through values alone, with norms held: what a unit carries, not how it steers weights.

The rules of Ali et al. 2022, arXiv 2202.07304. A unit is held against `baseline`, what the model reads where nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.input_gradient import moved
from heedful.explanations.methods.method import Method
from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Subject

VALUES: Final = Rules(frozen_norms=True, values_only=True)
NORMS: Final = Rules(frozen_norms=True)


@final
@dataclass(frozen=True)
class Quick(Method):
    """∇ log p · (x - baseline) with weights and norms held constant.

    >>> Quick().name
    'quick'
    """

    name: ClassVar[str] = "quick"
    title: ClassVar[str] = "first-order change of log p, through values"
    source: ClassVar[str] = "Ali et al. 2022, arXiv 2202.07304"
    signed: ClassVar[bool] = True

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return subject.no_gradients

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The products; where nothing attends only norms are held."""
        return moved(subject, subject.features - subject.baseline, NORMS if subject.no_attention else VALUES)

    def passes(self, subject: Subject) -> int:
        """One forward, one backward."""
        return 3
