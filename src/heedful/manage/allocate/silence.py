"""Keeping a C library off the terminal: HiGHS writes lines of its own to the process's standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT = 1


@contextmanager
def silenced() -> Iterator[None]:
    """Within it the process's standard output, of C libraries too, goes nowhere; put back at the end.

    >>> with silenced():
    ...     _ = os.write(1, b"not seen")
    """
    sys.stdout.flush()
    try:
        kept = os.dup(STDOUT)
    except OSError:  # there is no standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDOUT)
        yield
    finally:
        os.dup2(kept, STDOUT)
        os.close(nowhere)
        os.close(kept)
