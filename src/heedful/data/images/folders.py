"""Folders of pictures: a folder a class, with folders for the parts above them or without."""

from __future__ import annotations

from pathlib import Path

from heedful.data.images.archives import is_archive, members, part_of
from heedful.data.images.decode import FORMS
from heedful.data.images.reading import File
from heedful.errors import DataError


def by_class(folder: Path) -> dict[str, list[File]]:
    """The pictures of a folder by part: its own train, validation and test folders, tars of them, or all as `train`.

    Hidden files and files of other forms are passed over. Raises `DataError` where there is none.
    """
    archives = sorted(path for path in folder.iterdir() if path.is_file() and is_archive(path))
    if archives:
        found: dict[str, list[File]] = {}
        for path in archives:
            for part, files in members(path).items():
                found.setdefault(part, []).extend(files)
        return found
    parts = {named: sub for sub in subfolders(folder) if (named := part_of((sub.name,)))}
    if "train" in parts:
        return {part: files for part, sub in parts.items() if (files := classes(sub))}
    return {"train": classes(folder)}


def classes(folder: Path) -> list[File]:
    """Every picture below a folder, its class the name of the folder right below `folder` that it is in."""
    found = [
        File(path, str(path), sub.name)
        for sub in subfolders(folder)
        for path in sorted(sub.rglob("*"))
        if path.is_file() and path.suffix.lower() in FORMS and not path.name.startswith(".")
    ]
    if not found:
        loose = sum(path.suffix.lower() in FORMS for path in folder.iterdir())
        said = f"{loose} pictures in it, none in a folder" if loose else "no pictures in it"
        raise DataError(
            f"{folder}: {said}: a folder a class with pictures ({', '.join(FORMS[:4])} ...), or a csv of paths and classes, would work"
        )
    return found


def subfolders(folder: Path) -> list[Path]:
    """The folders in it, hidden ones left out."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
