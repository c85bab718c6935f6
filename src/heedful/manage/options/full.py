"""Full: all of the attention the head has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.manage.options.option import Option


@final
@dataclass(frozen=True)
class Full(Option):
    """Nothing is left out.

    >>> Full().name, Full().kept(100), Full().attended(100), Full().attended(100, causal=False)
    ('full', 100, 5050, 10000)
    """

    word = "full"
    phases = frozenset()

    def kept(self, length: int) -> int:
        """All."""
        return length

    def attended(self, length: int, causal: bool = True) -> int:
        """All pairs."""
        return whole(length, causal)


def whole(length: int, causal: bool) -> int:
    """The pairs of a pass that leaves nothing out."""
    return length * (length + 1) // 2 if causal else length * length
