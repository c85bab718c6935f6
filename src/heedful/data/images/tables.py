"""Tables of paths and classes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from heedful.data.images.reading import File
from heedful.data.labelled.tables import LABELS, column, pair, read_rows
from heedful.data.sources import PARTS
from heedful.errors import DataError
from heedful.spec.images import ImageDataSpec

IMAGES: Final = ("image", "path", "file", "filename", "file_name", "picture", "photo", "img")
SPLITS: Final = ("split", "part", "subset", "set")


def listed(path: Path, spec: ImageDataSpec) -> dict[str, list[File]]:
    """The pictures that a table names, by part if it has a column of them (split); paths begin at the table's own folder.

    Raises `DataError`: no such column (with those there are), a row without a path or a class, a file that is not there.
    """
    rows = read_rows(path, "utf-8")
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of paths and one of classes would work")
    columns = list(rows[0])
    images = column(path, columns, "image", spec.image, IMAGES)
    labels = column(path, [name for name in columns if name != images], "label", spec.label, LABELS)
    split = next((name for name in columns if name.strip().lower() in SPLITS and name not in (images, labels)), None)
    found: dict[str, list[File]] = {}
    for i, row in enumerate(rows, start=1):
        name, label = pair(path, i, row, images, labels)
        there = path.parent / Path(name).expanduser()
        if not there.is_file():
            raise DataError(f"{path} row {i}: {name}: no such file (looked for {there})")
        found.setdefault(part_named(str(row[split])) if split else "train", []).append(File(there, name, label))
    return found


def part_named(word: str) -> str:
    """The part that a cell names."""
    found = next((part for part, names in PARTS.items() if word.strip().lower() in names), None)
    if found is None:
        raise DataError(f"the split column names {word!r}: {', '.join(name for names in PARTS.values() for name in names)} would work")
    return found
