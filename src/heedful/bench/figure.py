"""What a benchmark finds: a number against a rival, and whether it reaches its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound to reach: at least, or at most.

    >>> str(Goal(2.0)), Goal(2.0).met(2.5), str(Goal(1.15, least=False)), Goal(1.15, least=False).met(1.2)
    ('>= 2', True, '<= 1.15', False)
    """

    bound: float
    least: bool = True

    def met(self, value: float) -> bool:
        """Whether the value reaches it."""
        return value >= self.bound if self.least else value <= self.bound

    def __str__(self) -> str:
        return f"{'>=' if self.least else '<='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `value` is None where a rival is absent, and `note` says why.

    `ours` and `theirs` are milliseconds where the figure is one of time.
    """

    row: str
    case: str
    against: str
    value: float | None
    goal: Goal | None = None
    unit: str = "x"
    ours: float | None = None
    theirs: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether it reaches its target; None where there is no number or no target."""
        return None if self.value is None or self.goal is None else self.goal.met(self.value)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "row": self.row,
            "case": self.case,
            "against": self.against,
            "value": self.value,
            "unit": self.unit,
            "target": None if self.goal is None else str(self.goal),
            "met": self.met,
            "ours_ms": self.ours,
            "theirs_ms": self.theirs,
            "note": self.note,
        }


def absent(row: str, case: str, rival: str, reason: str) -> Figure:
    """The line of a rival that is not here: said, not hidden."""
    return Figure(row, case, rival, None, note=reason)
