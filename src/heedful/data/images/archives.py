"""Tar archives of pictures, a folder a class: `SPLIT/CLASS/NAME` or `CLASS/NAME`, packed or not."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from heedful.data.images.decode import FORMS
from heedful.data.images.reading import File
from heedful.data.sources import PARTS
from heedful.errors import DataError

ENDS: Final = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


def is_archive(path: Path) -> bool:
    """Whether its name says so."""
    return path.name.lower().endswith(ENDS)


def members(path: Path) -> dict[str, list[File]]:
    """The pictures by part (`train` where the archive's folders say nothing), in the order of their names.

    Raises `DataError`: not a whole archive, or without pictures in folders.
    """
    found: dict[str, list[File]] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.suffix.lower() not in FORMS or len(name.parts) < 2 or name.name.startswith("."):
                    continue
                body = archive.extractfile(member)
                assert body is not None, "a member that is a file can be read"
                part = part_of(name.parts[:-2]) or part_of((path.name.split(".")[0],)) or "train"
                found.setdefault(part, []).append(File(body.read(), f"{path.name}:{member.name}", name.parts[-2]))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{path}: not a whole tar archive: {' '.join(str(error).split())}") from None
    if not found:
        raise DataError(f"{path}: no pictures in folders named by their class: CLASS/NAME{FORMS[0]} would work")
    return {part: sorted(files, key=lambda file: file.name) for part, files in found.items()}


def part_of(folders: tuple[str, ...]) -> str | None:
    """The part that one of the folders is named after."""
    return next((part for part, names in PARTS.items() for folder in folders if folder.lower() in names), None)
