"""A file is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from heedful.errors import HeedfulError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes the place of `path` once it is whole and on the disk.

    Raises `HeedfulError` if it cannot be written (a full disk, a folder without the right); `path` is then untouched.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "a.txt")) as file:
    ...         _ = file.write(b"whole")
    ...     Path(folder, "a.txt").read_text()
    'whole'
    """
    with told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with told(path), os.fdopen(handle, "wb") as file:
            os.fchmod(handle, 0o666 & ~umask())
            yield file
            file.flush()
            os.fsync(handle)
            os.replace(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def write(path: Path, data: bytes | str) -> None:
    """Put `data` (text as UTF-8) at `path`, whole or not at all."""
    with replacing(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say in one line which file could not be written, and why."""
    try:
        yield
    except OSError as error:
        raise HeedfulError(f"cannot write {path}: {error.strerror or error}; files written before are whole") from error


def umask() -> int:
    """The rights this process takes from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
