"""One writer at a time, whatever process it is in; a killed one holds nothing."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from heedful.errors import HeedfulError

WAIT: Final = 0.05  # seconds between two tries


@contextmanager
def locked(folder: Path, patience: float = 60.0) -> Iterator[None]:
    """Hold the folder's lock, after waiting for `patience` seconds at most; readers need none.

    Errors: `HeedfulError` if another process holds it for longer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        until = time.monotonic() + patience
        while not taken(file.fileno()):
            if time.monotonic() > until:
                raise HeedfulError(f"{folder}: another process has been changing this index for {patience:g} s: try again when it is done")
            time.sleep(WAIT)
        yield  # closing the file lets go of it


def taken(number: int) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
