"""Tables of paths and transcripts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from heedful.data.images.tables import SPLITS, part_named
from heedful.data.labelled.tables import FORMS, column, pair, read_rows
from heedful.errors import DataError
from heedful.spec.audio import SpeechDataSpec

TABLES: Final = FORMS
AUDIO: Final = ("audio", "path", "file", "filename", "file_name", "wav", "recording")
TEXTS: Final = ("text", "transcript", "transcription", "sentence", "words", "label")
SPEAKERS: Final = ("speaker", "speaker_id", "client_id", "voice")


def listed(path: Path, spec: SpeechDataSpec) -> list[tuple[Path, str, str, str, str]]:
    """Each recording that a table names: its path, what is said, the speaker, its name, its part; paths begin at the table's own folder.

    Raises `DataError`: no such column (with those there are), a row without a path or a transcript, a file that is not there.
    """
    rows = read_rows(path, "utf-8")
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of paths and one of transcripts would work")
    columns = list(rows[0])
    audio = column(path, columns, "audio", spec.audio, AUDIO)
    texts = column(path, [name for name in columns if name != audio], "text", spec.text, TEXTS)
    speaker, split = (next((name for name in columns if name.strip().lower() in known), None) for known in (SPEAKERS, SPLITS))
    found = []
    for i, row in enumerate(rows, start=1):
        name, text = pair(path, i, row, audio, texts)
        there = path.parent / Path(name).expanduser()
        if not there.is_file():
            raise DataError(f"{path} row {i}: {name}: no such file (looked for {there})")
        found.append((there, text, str(row[speaker] or "") if speaker else "", name, part_named(str(row[split])) if split else ""))
    return found
