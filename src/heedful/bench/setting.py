"""How a benchmark is run: whole or quick, and on which backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from heedful.cost.measure import Patience

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """`quick`: smaller sizes and fewer rounds; `backend`: what `attend` is asked for; `device`: where tensors live."""

    quick: bool = False
    backend: str = "auto"
    device: str = "cpu"

    @property
    def patience(self) -> Patience:
        """How long a comparison lasts."""
        return Patience(seconds=0.5, rounds=3) if self.quick else Patience(seconds=3.0, rounds=5)

    def of(self, whole: T, quick: T) -> T:
        """The one value or the other."""
        return quick if self.quick else whole
