"""Drop: the head is taken out, with its part of the projections (Michel et al. 2019, arXiv 1905.10650)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.manage.options.option import PHASES, Option


@final
@dataclass(frozen=True)
class Drop(Option):
    """The head's output is zero, and nothing of it is computed or kept.

    >>> Drop().name, Drop().kept(100), Drop().attended(100)
    ('drop', 0, 0)
    """

    word = "drop"
    phases = frozenset(PHASES)

    @property
    def drops(self) -> bool:
        """It is not computed at all."""
        return True

    def kept(self, length: int) -> int:
        """Nothing."""
        return 0

    def attended(self, length: int, causal: bool = True) -> int:
        """Nothing."""
        return 0
