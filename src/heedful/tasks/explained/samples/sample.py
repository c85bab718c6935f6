"""A model and some inputs of it as subjects: what methods are compared on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import nn

from heedful.errors import UsageError
from heedful.explanations.subject import Subject
from heedful.tasks.explained.asking import Asking
from heedful.tasks.task import Part


@dataclass(frozen=True)
class Sample:
    """A model, inputs of it as subjects, made one by one, how many, and in words whose they are."""

    model: nn.Module
    subjects: Iterator[Subject]
    count: int
    data: str


class Maker(Protocol):
    """A task's inputs as subjects."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """The inputs to compare methods on."""


def part_of(asking: Asking) -> Part:
    """The part that is asked for: validation of the run's own data, the whole of any other."""
    return asking.split or ("validation" if asking.data is None else "whole")


def evenly(count: int, limit: int) -> list[int]:
    """At most `limit` of so many places, at equal distances.

    >>> evenly(10, 3)
    [0, 3, 6]
    """
    if limit < 1:
        raise UsageError(f"--limit is {limit}: it must be 1 or more")
    return list(range(0, count, max(1, count // limit)))[:limit]


def refuse_longest(asking: Asking, what: str) -> None:
    """Refuse --longest where inputs are no texts that can be cut."""
    if asking.longest is not None:
        raise UsageError(f"--longest cuts texts to their first tokens, and {what}: without it, it would work")
