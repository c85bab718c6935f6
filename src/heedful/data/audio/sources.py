"""Where recordings come from: a table, a folder, a zip, a named set, or voices made on the spot."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Final, NamedTuple
from zipfile import BadZipFile, ZipFile

from heedful.data.audio import voices
from heedful.data.audio.decode import FORMS, decoded
from heedful.data.audio.joined import joined
from heedful.data.audio.names import named, part_of
from heedful.data.audio.recordings import PARTS, Recordings, RecordingSet, Utterance, cut, gathered
from heedful.data.audio.resample import resampled
from heedful.data.audio.tables import TABLES, listed
from heedful.data.sources import bare, data_home
from heedful.errors import DataError, UsageError
from heedful.spec.audio import SpeechDataSpec

TESTED: Final = 5  # takes 0 to 4 of a digit are the Free Spoken Digit Dataset's test part, as its README says
OWN: Final = "fsdd"


class File(NamedTuple):
    """A recording's file (or its bytes), what is said in it, by whom, its name, and the part it belongs to ("": not said)."""

    source: Path | bytes
    text: str
    speaker: str
    name: str
    part: str = ""


def load_speech(spec: SpeechDataSpec) -> RecordingSet:
    """The recordings that `spec.source` names, in their parts, at the rate of the spec.

    >>> load_speech(SpeechDataSpec("voices")).rate
    8000

    Raises `DataError`: missing (with what would work), a file that cannot be read, none at all, or no speaker of the name to be left out.
    """
    found = without(opened(spec), spec.leave)
    parts, said = dict(found.parts), [found.split]
    for part, share in (("test", spec.test), ("validation", spec.validation)):
        if share and not len(parts[part]):
            parts["train"], parts[part] = cut(parts["train"], share)
            said.append(f"{len(parts[part]):,} of the recordings to learn from cut off for {part}")
    if spec.limit is not None:
        parts["train"] = parts["train"].picked(range(min(spec.limit, len(parts["train"]))))
        said.append(f"{len(parts['train']):,} to learn from")
    whole = RecordingSet(found.name, parts, "; ".join(said))
    return whole if spec.join is None else joined(whole, spec.join)


def opened(spec: SpeechDataSpec) -> RecordingSet:
    """What the source itself holds."""
    rate = spec.frames.rate
    if spec.source == voices.NAME:
        return at_rate(voices.voices(), rate)
    path = Path(spec.source).expanduser()
    if bare(spec.source) and not path.exists():
        path = data_home() / spec.source
    if path.is_file() and path.name.lower().removesuffix(".gz").endswith(TABLES):
        return read(spec, [File(*row) for row in listed(path, spec)], path.name)
    if path.is_file() and path.suffix.lower() == ".zip":
        return read(spec, zipped(path), path.name)
    if path.is_file():
        raise DataError(f"{path}: one file, and what to learn from is a table ({', '.join(TABLES)}), a folder or a zip of recordings")
    if not spec.source or not path.is_dir():
        raise missing(spec.source)
    return read(spec, in_folder(path, spec), path.name)


def in_folder(folder: Path, spec: SpeechDataSpec) -> list[File]:
    """The recordings of a folder: those of its table, those that lie in it, or those of its zip."""
    tables = sorted(path for path in folder.iterdir() if path.name.lower().endswith(TABLES))
    if tables:
        return [File(*row) for table in tables for row in listed(table, spec)]
    inside = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMS and not path.name.startswith("."))
    if inside:
        return [known(path, path.relative_to(folder), folder) for path in inside]
    zips = sorted(folder.glob("*.zip"))
    if zips:
        return [file for path in zips for file in zipped(path)]
    raise DataError(f"{folder}: no recordings in it ({', '.join(FORMS)}), no table of them and no zip")


def zipped(path: Path) -> list[File]:
    """The recordings in a zip, in the order of their names."""
    try:
        with ZipFile(path) as archive:
            inside = sorted(name for name in archive.namelist() if PurePosixPath(name).suffix.lower() in FORMS and "__MACOSX" not in name)
            found = [known(archive.read(name), PurePosixPath(name), path) for name in inside]
    except (BadZipFile, OSError) as error:
        raise DataError(f"{path}: not a whole zip: {error}") from None
    if not found:
        raise DataError(f"{path}: no recordings in it ({', '.join(FORMS)})")
    return found


def known(source: Path | bytes, inner: PurePath, home: Path) -> File:
    """A recording whose name or folder says what is said in it."""
    said = named(inner)
    if said is None:
        raise DataError(f"{home}: {inner}: neither its name (7_ann_3.wav) nor its folder (yes/a.wav) says what is said: a table would work")
    part = part_of(inner.parent) or ""
    if home.parent.name == OWN or home.name == OWN:
        part = "" if said.take is None else "test" if said.take < TESTED else "train"
    return File(source, said.text, said.speaker, str(inner), part)


def read(spec: SpeechDataSpec, files: list[File], name: str) -> RecordingSet:
    """All files in their parts; those that name none are learnt from."""
    if not files:
        raise DataError(f"{name}: no recordings in it")
    rate = spec.frames.rate
    parts: dict[str, list[Utterance]] = {part: [] for part in PARTS}
    for file in files:
        parts[file.part or "train"].append(Utterance(decoded(file.source, file.name, rate), file.text, file.speaker, file.name))
    if not parts["train"]:
        raise DataError(f"{name}: no recordings to learn from: a part named train, or no parts at all, would work")
    split = "the set's own parts" if any(file.part for file in files) else "all of it"
    return RecordingSet(spec.source, {part: gathered(some, rate) for part, some in parts.items()}, split)


def without(found: RecordingSet, speaker: str | None) -> RecordingSet:
    """The set with all recordings of a speaker as its test part, and of the others' own test part as learnt from as well."""
    if speaker is None:
        return found
    whole = found.part("whole")
    if speaker not in whole.speakers:
        there = ", ".join(sorted(set(whole.speakers) - {""})) or "none that is named"
        raise UsageError(f"data.leave is {speaker!r}, and the speakers of {found.name} are: {there}")
    train = whole.where(each != speaker for each in whole.speakers)
    parts = {"train": train, "validation": voices.empty(found.rate), "test": whole.where(each == speaker for each in whole.speakers)}
    return RecordingSet(found.name, parts, f"the speaker {speaker} left out to test on")


def at_rate(found: RecordingSet, rate: int) -> RecordingSet:
    """The same recordings at another rate."""
    if found.rate == rate:
        return found
    return replace(found, parts={part: turned(some, rate) for part, some in found.parts.items()})


def turned(some: Recordings, rate: int) -> Recordings:
    """Recordings at another rate."""
    each = (some.utterance(i) for i in range(len(some)))
    return gathered((one._replace(wave=resampled(one.wave[None], some.rate, rate)[0]) for one in each), rate)


def missing(source: str) -> DataError:
    """The error for a source that is none, with what would work."""
    home = data_home()
    there = sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    close = difflib.get_close_matches(source, [*there, voices.NAME], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    under = f"a set under {home}" + ("" if there else " (none there; HEEDFUL_DATA names another place)")
    return DataError(
        f"no recordings at {source!r}: {hint}a folder or a zip of them, a table of paths and transcripts, "
        f"{voices.NAME}, or {under} would work"
    )
