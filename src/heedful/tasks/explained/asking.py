"""Which inputs methods are compared on, and how; light, so that the command's help needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from heedful.tasks.task import Part


@dataclass(frozen=True)
class Asking:
    """What a comparison is made on.

    Arguments:
        data: other data than the run's own, for --compare.
        split: train, validation, test, or whole; validation of the run's own data, the whole of any other.
        limit: how many inputs are compared on.
        longest: tokens of an input at most, its first ones; all that the model reads unless given.
        replacement: what is done to a unit that is taken away: delete, mask or baseline.
        methods: only these methods, comma-separated; all whose cost does not grow with the square of the length unless given.
    """

    data: str | None = None
    split: Part | None = None
    limit: int = 50
    longest: int | None = None
    replacement: str | None = None
    methods: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The methods by name."""
        return tuple(name.strip() for name in self.methods.split(",") if name.strip())


ASKING: Final = Asking()
