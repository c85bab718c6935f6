"""One number that a log gives for a parameter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """What a log says of a parameter: the number, its standard error (None where it is a plain count), and what was counted."""

    parameter: str
    value: float
    error: float | None
    counted: str
