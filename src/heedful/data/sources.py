"""Where text comes from: a file, a folder of files, a named set, or what Python itself carries."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path

from heedful.data.files import FORMS, read_text
from heedful.data.reference import python_reference
from heedful.data.text import Corpus, cut
from heedful.errors import DataError
from heedful.spec.data import DataSpec

EMBEDDED = "python-reference"
PARTS = {"train": ("train",), "validation": ("valid", "validation", "val", "dev"), "test": ("test",)}


def load_corpus(spec: DataSpec) -> Corpus:
    """The text that `spec.source` names, in its parts.

    A file and a folder are looked for first, then a set under $HEEDFUL_DATA. Files named train, valid and test (also
    wiki.train.tokens and the like) are taken as the parts; any other text is cut by the shares of the spec. Sources
    with a + between them are read one after the other, each part by itself.

    >>> load_corpus(DataSpec("python-reference")).name
    'python-reference'

    Raises `DataError`: missing (with what would work), empty, binary, or not text in the spec's encoding.
    """
    if spec.source == EMBEDDED:
        return python_reference()
    if not spec.source:
        raise missing(spec.source)
    path = Path(spec.source).expanduser()
    if "+" in spec.source and not path.exists():
        return joined(spec.source, [load_corpus(replace(spec, source=source)) for source in spec.source.split("+")])
    if path.is_file():
        return cut(spec.source, read_text(path, spec.encoding), spec)
    if path.is_dir():
        return from_folder(spec.source, path, spec)
    named = data_home() / spec.source
    if bare(spec.source) and named.is_dir():
        return from_folder(spec.source, named, spec)
    raise missing(spec.source)


def joined(name: str, corpora: list[Corpus]) -> Corpus:
    """Several corpora as one: their training texts one after the other, and so their other parts."""
    train, validation, test = ("\n".join(text for corpus in corpora if (text := corpus.part(part))) for part in PARTS)
    return Corpus(name, train, validation, test, "; ".join(f"{corpus.name}: {corpus.split}" for corpus in corpora))


def data_home() -> Path:
    """Where named sets live: $HEEDFUL_DATA, or ~/.cache/heedful/data."""
    return Path(os.environ.get("HEEDFUL_DATA") or "~/.cache/heedful/data").expanduser()


def from_folder(name: str, folder: Path, spec: DataSpec) -> Corpus:
    """A folder's text: its own train, validation and test files, or all its text files in the order of their names.

    Hidden files and folders, and files without a byte, are passed over.
    """
    files = sorted(path for path in folder.rglob("*") if readable(path, folder))
    if not files:
        raise DataError(f"{folder}: no text files in it: {', '.join('*' + form for form in FORMS)} would work")
    parts = {part: part_of(files, names) for part, names in PARTS.items()}
    if parts["train"] and parts["validation"]:
        texts = {part: read_text(path, spec.encoding) if path else "" for part, path in parts.items()}
        found = ", ".join(path.name for path in parts.values() if path)
        return Corpus(name, texts["train"], texts["validation"], texts["test"], f"the source's own files: {found}")
    return cut(name, "\n".join(read_text(path, spec.encoding) for path in files), spec)


def readable(path: Path, folder: Path) -> bool:
    """Whether a file of a folder is one of its texts."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.name.endswith(FORMS) and path.is_file() and path.stat().st_size > 0


def part_of(files: list[Path], names: tuple[str, ...]) -> Path | None:
    """The first file one of whose dotted words is one of `names`."""
    for path in files:
        if any(word in names for word in path.name.lower().split(".")[:-1]):
            return path
    return None


def missing(source: str) -> DataError:
    """The error for a source that is none, with what would work."""
    home = data_home()
    sets = sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    close = difflib.get_close_matches(source, [*sets, EMBEDDED], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    under = f"a set under {home} ({', '.join(sets)})" if sets else f"a set under {home} (none there; HEEDFUL_DATA names another place)"
    return DataError(f"no text at {source!r}: {hint}a text file, a folder of text files, {EMBEDDED}, or {under} would work")


def bare(source: str) -> bool:
    """Whether a source could be the name of a set: one word, not a path."""
    return bool(source) and source not in (".", "..") and os.sep not in source
