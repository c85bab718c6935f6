"""What a field of a spec may hold; what it may not is refused by the field's own name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from heedful.errors import UsageError


class SpecError(UsageError):
    """A field whose value cannot be used; readers of files put the path and the line before it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def require(ok: bool, field: str, reason: str) -> None:
    """Refuse `field` for `reason` unless `ok`."""
    if not ok:
        raise SpecError(field, reason)


def positive(values: Mapping[str, float | None]) -> None:
    """Every given number is above zero; None means "not set" and passes.

    >>> positive({"width": 128, "kv_heads": None})
    >>> positive({"width": 0})
    Traceback (most recent call last):
    heedful.spec.check.SpecError: width: must be above 0, found 0
    """
    for field, value in values.items():
        require(value is None or value > 0, field, f"must be above 0, found {value}")


def within(values: Mapping[str, float], low: float, high: float) -> None:
    """Every given number lies in [low, high)."""
    for field, value in values.items():
        require(low <= value < high, field, f"must be at least {low:g} and below {high:g}, found {value:g}")


def one_of(field: str, value: str, options: Iterable[str]) -> None:
    """`value` is one of `options`; the nearest right one is offered otherwise."""
    known = list(options)
    if value in known:
        return
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise SpecError(field, f"unknown choice {value!r}: {hint}({', '.join(known)})")
