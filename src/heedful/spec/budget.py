"""What attention may cost: shares of what it costs now, or absolute amounts with their units."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import SpecError, one_of, positive, require

Phase = Literal["prefill", "decode"]
Amount = float | str
RESOURCES = ("milliseconds", "operations", "bytes")
UNITS: Mapping[str, Mapping[str, float]] = {
    "milliseconds": {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4},
    "operations": {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12},
    "bytes": {"B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
}
EXAMPLES: Mapping[str, str] = {"milliseconds": "40ms", "operations": "2e9", "bytes": "64MiB"}
WRITTEN = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)")


@dataclass(frozen=True)
class Budget:
    """The most that the attention of one text may take: any of milliseconds, operations and bytes, all of which hold.

    A number up to 1 is a share of what the attention core (scores, weights, weighted sums; no projections) takes when
    nothing is left out; an absolute amount is written with its unit. `length` is the text's, in tokens (None: the
    profile's longest). In phase "prefill" milliseconds and operations are those of reading the whole text, in phase
    "decode" those of one more token behind it; bytes are what the key/value caches hold at that length in both.

    >>> Budget(milliseconds=0.5, bytes="64MiB", length=8192).limits({"milliseconds": 80.0, "operations": 1e9, "bytes": 2e8})
    {'milliseconds': 40.0, 'bytes': 67108864.0}
    >>> Budget(milliseconds=40)
    Traceback (most recent call last):
    heedful.spec.check.SpecError: milliseconds: a number is a share of the attention core and at most 1, found 40; '40ms' would be absolute
    """

    milliseconds: Amount | None = None
    operations: Amount | None = None
    bytes: Amount | None = None
    length: int | None = None
    phase: Phase = "prefill"

    def __post_init__(self) -> None:
        one_of("phase", self.phase, get_args(Phase))
        positive({"length": self.length})
        given = self.given
        require(bool(given), "budget", "is empty: milliseconds=0.5, operations='2e9' or bytes='64MiB' would work")
        for resource, amount in given.items():
            read(resource, amount)

    @property
    def given(self) -> dict[str, Amount]:
        """The resources that are bounded, as they were written."""
        amounts = {"milliseconds": self.milliseconds, "operations": self.operations, "bytes": self.bytes}
        return {resource: amount for resource, amount in amounts.items() if amount is not None}

    def limits(self, dense: Mapping[str, float]) -> dict[str, float]:
        """Each bounded resource's limit in its own unit, where `dense` is what attention takes without a plan."""
        found = {}
        for resource, amount in self.given.items():
            number, share = read(resource, amount)
            found[resource] = number * dense[resource] if share else number
        return found

    def __str__(self) -> str:
        amounts = [told(name, amount) for name, amount in self.given.items()]
        place = "" if self.length is None else f" at {self.length} tokens"
        return f"{' and '.join(amounts)} in {self.phase}{place}"


def read(resource: str, amount: Amount) -> tuple[float, bool]:
    """A number, and whether it is a share.

    >>> read("milliseconds", "1.2s"), read("bytes", "64MB"), read("operations", "2e9"), read("operations", "0.5")
    ((1200.0, False), (64000000.0, False), (2000000000.0, False), (0.5, True))
    """
    if isinstance(amount, str):
        return written(resource, amount)
    fine = not isinstance(amount, bool) and math.isfinite(amount) and 0 < amount <= 1
    if fine:
        return float(amount), True
    hint = "a share lies above 0" if not amount > 0 or isinstance(amount, bool) else f"{absolute(resource, amount)!r} would be absolute"
    raise SpecError(resource, f"a number is a share of the attention core and at most 1, found {amount}; {hint}")


def written(resource: str, text: str) -> tuple[float, bool]:
    """An amount as text: with a unit absolute, a bare number up to 1 a share."""
    found, units = WRITTEN.fullmatch(text.strip()), UNITS[resource]
    if found is None:
        raise SpecError(resource, f"cannot read {text!r}: '{EXAMPLES[resource]}', or a share such as 0.5, would work")
    number, unit = float(found[1]), found[2]
    require(number > 0 and math.isfinite(number), resource, f"must be above 0, found {text!r}")
    if not unit and number <= 1:
        return number, True
    if unit in units:
        return number * units[unit], False
    if not unit:
        raise SpecError(resource, f"{text!r} has no unit: {absolute(resource, number)!r}, or a share up to 1, would work")
    known = ", ".join(name for name in units if name)
    raise SpecError(resource, f"unknown unit {unit!r} in {text!r}: one of {known} would work, as in '{EXAMPLES[resource]}'")


def told(resource: str, amount: Amount) -> str:
    """An amount as it is read.

    >>> told("milliseconds", 0.5), told("operations", "0.25"), told("bytes", "64MiB"), told("operations", "2e9")
    ('50% of milliseconds', '25% of operations', '64MiB', '2e9 operations')
    """
    number, share = read(resource, amount)
    return f"{100 * number:.3g}% of {resource}" if share else f"{amount} operations" if resource == "operations" else str(amount)


def absolute(resource: str, number: float) -> str:
    """The number with the unit that it was most likely meant in."""
    return f"{number:g}{'' if resource == 'operations' else 'ms' if resource == 'milliseconds' else 'B'}"
