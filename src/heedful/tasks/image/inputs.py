"""The pictures that a command names: files, folders of them, and those of a run's own data by their number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from jaxtyping import UInt8
from torch import Tensor

from heedful.data.images.decode import FORMS, decoded
from heedful.data.images.pictures import PARTS, channelled
from heedful.errors import DataError, UsageError

OWN: Final = re.compile(rf"({'|'.join(PARTS)}):(\d+)")


class Input(NamedTuple):
    """A picture as a model reads it, what it was called, and its class where the run's own data says so."""

    name: str
    pixels: UInt8[Tensor, "c h w"]
    label: str | None = None


Own = Callable[[str], Sequence[Input]]


def inputs(words: Sequence[str], size: int, channels: int, own: Own) -> Iterator[Input]:
    """The picture of every word, brought to size and channels: a file, each picture of a folder, or `test:3` of the run's own data.

    Raises `DataError` for what is no picture, `UsageError` where nothing is named, or no such picture is there.
    """
    parts: dict[str, Sequence[Input]] = {}
    for word in words:
        if not word:
            raise UsageError("no picture was named: a file, a folder, or test:0 (of the run's own data) would work")
        match = OWN.fullmatch(word)
        if match and not Path(word).exists():
            part, number = match[1], int(match[2])
            found = parts[part] = parts.get(part) or own(part)
            if number >= len(found):
                raise UsageError(f"{word}: the {part} part has {len(found):,} pictures: {part}:0 to {part}:{len(found) - 1} would work")
            yield found[number]._replace(name=word)
            continue
        for path in files(Path(word).expanduser()):
            yield Input(str(path), channelled(decoded(path, str(path), size)[None], channels)[0])


def files(path: Path) -> list[Path]:
    """The file itself, or every picture of a folder in the order of their names."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in FORMS and each.is_file() and not each.name.startswith("."))
    if not found:
        raise DataError(f"{path}: no pictures in it ({', '.join(FORMS)})")
    return found
