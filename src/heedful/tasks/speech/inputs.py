"""The recordings that a command names: files, folders of them, and those of a run's own data by their number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from jaxtyping import Float
from torch import Tensor

from heedful.data.audio.decode import FORMS, decoded
from heedful.data.audio.recordings import PARTS, Recordings
from heedful.errors import DataError, UsageError

OWN: Final = re.compile(rf"({'|'.join(PARTS)}):(\d+)")
STREAM: Final = "-"


class Input(NamedTuple):
    """A wave at the model's rate, what it was called, and what is said in it where the run's own data says so."""

    name: str
    wave: Float[Tensor, " n"]
    text: str | None = None


def inputs(words: Sequence[str], rate: int, own: Callable[[str], Recordings]) -> Iterator[Input]:
    """The recording of every word: a file, each recording of a folder, or `test:3` of the run's own data.

    Raises `DataError` for what is no recording, `UsageError` where nothing is named, or no such recording is there.
    """
    parts: dict[str, Recordings] = {}
    for word in words:
        if not word:
            raise UsageError("no recording was named: a file, a folder, test:0 (of the run's own data), or - (a stream) would work")
        match = OWN.fullmatch(word)
        if match and not Path(word).exists():
            part, number = match[1], int(match[2])
            found = parts[part] = parts[part] if part in parts else own(part)
            if number >= len(found):
                there = f"{part}:0 to {part}:{len(found) - 1} would work" if len(found) else "another part would work"
                raise UsageError(f"{word}: the {part} part has {len(found):,} recordings: {there}")
            mine = found.utterance(number)
            yield Input(word, mine.wave, mine.text)
            continue
        for path in files(Path(word).expanduser()):
            yield Input(str(path), decoded(path, str(path), rate))


def files(path: Path) -> list[Path]:
    """The file itself, or every recording of a folder in the order of their names."""
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in FORMS and each.is_file() and not each.name.startswith("."))
    if not found:
        raise DataError(f"{path}: no recordings in it ({', '.join(FORMS)})")
    return found
