"""Where pairs come from: a table, two files side by side, a folder of them, a named set, or pairs made on the spot."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from heedful.data.labelled.tables import FORMS, Row, read_rows
from heedful.data.pairs.made import MADE
from heedful.data.pairs.named import SETS, named, parallel
from heedful.data.pairs.pairs import PairCorpus, Pairs, cut
from heedful.data.sources import PARTS, data_home
from heedful.errors import DataError
from heedful.spec.pairs import PairSpec

SOURCES = ("source", "src", "text", "input", "question", "article", "document", "excerpt", "body", "en", "english")
TARGETS = ("target", "tgt", "translation", "output", "answer", "summary", "title", "headline", "highlights", "de", "fr")


def load_pairs(spec: PairSpec) -> PairCorpus:
    """The pairs that `spec.source` names, in their parts.

    A validation part (and, where `spec.test` says so, a test part) that is missing is cut from the training pairs.

    >>> corpus = load_pairs(PairSpec("dates"))
    >>> [len(corpus.part(part)) for part in ("train", "validation", "test")]
    [4860, 540, 600]

    Raises `DataError`: missing (with what would work), not a table, files of different lengths.
    """
    found = opened(spec)
    parts = {"train": Pairs(), "validation": Pairs(), "test": Pairs(), **found.parts}
    said = [found.split]
    for part, share in (("test", spec.test), ("validation", spec.validation)):
        if share and not len(parts[part]):
            parts["train"], parts[part] = cut(parts["train"], share)
            said.append(f"{len(parts[part]):,} of the pairs to learn from cut off for {part}")
    if spec.limit is not None and spec.limit < len(parts["train"]):
        parts["train"] = parts["train"].picked(range(spec.limit))
        said.append(f"the first {spec.limit:,} to learn from")
    if spec.lowercase:
        parts = {part: pairs.lowered() for part, pairs in parts.items()}
    return PairCorpus(found.name, parts, "; ".join(said))


def opened(spec: PairSpec) -> PairCorpus:
    """What the source itself holds."""
    if spec.source in MADE:
        return PairCorpus(spec.source, {"train": MADE[spec.source]()}, f"{spec.source} made on the spot")
    path = Path(spec.source).expanduser()
    if "+" in spec.source and not path.exists():
        return beside(spec)
    if path.is_file():
        return PairCorpus(spec.source, {"train": read_pairs(path, spec)}, path.name)
    if path.is_dir():
        return from_folder(spec, path)
    if spec.source in SETS:
        return named(spec.source, data_home(), spec.languages)
    raise missing(spec.source)


def beside(spec: PairSpec) -> PairCorpus:
    """Two files joined by +."""
    files = [Path(name).expanduser() for name in spec.source.split("+")]
    if len(files) != 2:
        raise DataError(f"{spec.source}: {len(files)} files joined by +: the sources and the targets, two files, would work")
    return PairCorpus(spec.source, {"train": parallel(files[0], files[1], spec.encoding)}, " beside ".join(path.name for path in files))


def from_folder(spec: PairSpec, folder: Path) -> PairCorpus:
    """A folder's own train, validation and test tables, or files that end in the two languages (train.en, train.de)."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    parts: dict[str, Pairs] = {}
    for part, names in PARTS.items():
        mine = [path for path in files if path.name.lower().split(".")[0] in names]
        table = next((path for path in mine if path.name.lower().removesuffix(".gz").endswith(FORMS)), None)
        if table is not None:
            parts[part] = read_pairs(table, spec)
        elif mine:
            parts[part] = parallel(*languages_of(spec, folder, mine), spec.encoding)
    if "train" not in parts:
        raise DataError(f"{folder}: no training pairs in it: train.en beside train.de with data.pair=en-de, or train.csv, would work")
    return PairCorpus(spec.source, parts, f"the folder's own parts: {', '.join(parts)}")


def languages_of(spec: PairSpec, folder: Path, files: Sequence[Path]) -> tuple[Path, Path]:
    """The two files of a part, by the endings of their languages."""
    endings = {path.name.removesuffix(".gz").rpartition(".")[2]: path for path in files}
    if spec.languages is None or not all(language in endings for language in spec.languages):
        raise DataError(f"{folder}: files of {', '.join(sorted(endings))}: data.pair=ONE-OTHER of these would work, found {spec.pair}")
    return endings[spec.languages[0]], endings[spec.languages[1]]


def read_pairs(path: Path, spec: PairSpec) -> Pairs:
    """The pairs of a table, from the named columns, those of the languages, those with usual names, or the only two there are.

    Raises `DataError`: no such column (with those there are), a row without a source or a target (with its number), not a table.
    """
    rows = read_rows(path, spec.encoding)
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of sources and one of targets would work")
    columns = list(rows[0])
    one, other = spec.languages or (None, None)
    ours = column(path, columns, ("text", spec.text or one), SOURCES, 0)
    theirs = column(path, [name for name in columns if name != ours], ("target", spec.target or other), TARGETS, 0)
    both = [pair(path, i, row, ours, theirs) for i, row in enumerate(rows, start=1)]
    return Pairs(tuple(text for text, _ in both), tuple(text for _, text in both))


def column(path: Path, columns: Sequence[str], asked: tuple[str, str | None], usual: Sequence[str], place: int) -> str:
    """The column that was asked for, the first one with a usual name, or the one at `place` where there can be no other."""
    kind, given = asked
    if given is not None and given in columns:
        return given
    found = next((name for wanted in usual for name in columns if name.strip().lower() == wanted), None)
    if given is None and (found is not None or 0 < len(columns) <= 2):
        return found or columns[place]
    said = f"no column {given!r}" if given is not None else f"no column with a usual name for the {kind} ({', '.join(usual)})"
    raise DataError(f"{path}: {said}: found {', '.join(map(repr, columns))}; data.{kind}=NAME names another")


def pair(path: Path, number: int, row: Row, text: str, target: str) -> tuple[str, str]:
    """The source and the target of a row."""
    values = row.get(text), row.get(target)
    for name, value in zip((text, target), values, strict=True):
        if value is None or not str(value).strip():
            raise DataError(f"{path} row {number}: nothing in column {name!r}: every source needs a target, and every target a source")
    return str(values[0]).strip(), str(values[1]).strip()


def missing(source: str) -> DataError:
    """The error for a source that is nowhere."""
    home = data_home()
    there = sorted(name for name, (folder, _, _) in SETS.items() if (home / folder).is_dir())
    close = difflib.get_close_matches(source, [*SETS, *MADE], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    under = f"a set under {home} ({', '.join(there) or 'none there; HEEDFUL_DATA names another place'})"
    return DataError(
        f"no pairs at {source!r}: {hint}a table ({', '.join(FORMS)}), two files as A+B, a folder with train.en and train.de, "
        f"{', '.join(MADE)}, or {under} would work"
    )
