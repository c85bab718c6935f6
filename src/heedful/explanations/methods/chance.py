"""The control: scores drawn at random, which every method has to beat."""

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
class Chance(Method):
    """Uniform numbers drawn by `seed`.

    >>> Chance(seed=1).name
    'random'
    """

    name: ClassVar[str] = "random"
    title: ClassVar[str] = "drawn at random"
    source: ClassVar[str] = "the control"
    faithful: ClassVar[bool] = False
    seed: int = 0

    def why_not(self, subject: Subject) -> str | None:
        """It serves every subject."""
        return None

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The numbers."""
        return torch.rand(subject.count, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)

    def passes(self, subject: Subject) -> int:
        """None."""
        return 0
