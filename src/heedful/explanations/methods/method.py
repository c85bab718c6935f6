"""What a method is: a subject in, a number for each unit out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from heedful.errors import Unsupported
from heedful.explanations.subject import Subject


class Method(ABC):
    """How much each unit counts for the answer.

    `title` says in words what a score is; `signed` whether a score below zero speaks against the answer; `faithful` whether it may be
    shown as a reason (attention itself is where the model looked, never why).
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    signed: ClassVar[bool] = False
    faithful: ClassVar[bool] = True

    @abstractmethod
    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""

    @abstractmethod
    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """A score for each unit, in float64; only where `why_not` is None."""

    @abstractmethod
    def passes(self, subject: Subject) -> int:
        """How many forward passes over one input it costs; a backward pass counts as two."""

    def explained(self, subject: Subject) -> Float[Tensor, " n"]:
        """The scores, or `Unsupported` with the reason."""
        reason = self.why_not(subject)
        if reason is not None:
            raise Unsupported(f"the method {self.name} cannot explain this: {reason}")
        return self.scores(subject)
