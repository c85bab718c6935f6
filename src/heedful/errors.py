"""What can go wrong, said in one line: what was asked, what was found, what would work."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HeedfulError(Exception):
    """Anything Heedful refuses; the command prints its message as one line and exits with `exit_code`."""

    exit_code = 1


class UsageError(HeedfulError, ValueError):
    """The request itself is off: an unknown name, options that exclude each other, a value out of range."""

    exit_code = 2


class ShapeError(UsageError):
    """Tensors or widths that do not fit together."""


class Unsupported(UsageError):
    """A forced backend, or a layer, that cannot serve what was asked."""


class DataError(HeedfulError):
    """A file or data set that is missing, empty, binary, undecodable or of another form."""


class CheckpointError(HeedfulError):
    """A run, checkpoint or vocabulary that is incomplete, damaged or made for something else."""


class MissingExtra(HeedfulError):
    """A command needs a package of an extra that is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package {package}, which is not installed: pip install 'heedful[{extra}]'")


def unknown(kind: str, name: object, options: Iterable[str]) -> UsageError:
    """An error for a name that is not in a table, with the nearest right one.

    >>> str(unknown("score", "scaled_dto", ["dot", "scaled_dot"]))
    "unknown score 'scaled_dto': did you mean 'scaled_dot'? (dot, scaled_dot)"
    """
    known = sorted(options)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? ({', '.join(known)})" if close else f"one of {', '.join(known)} would work"
    return UsageError(f"unknown {kind} {name!r}: {hint}")
