"""Somebody's own pictures and captions: a table of both, or pictures that each have a text of the same name beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import torch

from heedful.data.captions.captions import Captions, CaptionSet
from heedful.data.captions.grammar import Said
from heedful.data.files import read_text
from heedful.data.images.decode import FORMS
from heedful.data.images.pictures import PARTS
from heedful.data.images.reading import File, read
from heedful.data.images.tables import IMAGES, SPLITS, part_named
from heedful.data.labelled.tables import FORMS as TABLES
from heedful.data.labelled.tables import column, pair, read_rows
from heedful.errors import DataError
from heedful.spec.captions import CaptionDataSpec

CAPTIONS: Final = ("caption", "captions", "text", "description", "sentence", "answer", "alt")
QUESTIONS: Final = ("question", "asked")
TABLE: Final = "captions"


class Row(NamedTuple):
    """A picture's file, a text of it, and the part it is in (None: not said)."""

    path: Path
    said: Said
    part: str | None


def table_of(path: Path) -> Path | None:
    """The table of captions that a path is, or that a folder holds; None for neither."""
    if path.is_file():
        return path if path.name.lower().removesuffix(".gz").endswith(TABLES) else None
    found = (path / f"{TABLE}{form}{packed}" for form in TABLES for packed in ("", ".gz"))
    return next((each for each in found if each.is_file()), None)


def beside(folder: Path) -> list[Row]:
    """Every picture below a folder that has a .txt of its name beside it, a caption a line."""
    rows: list[Row] = []
    for path in sorted(folder.rglob("*")):
        text = path.with_suffix(".txt")
        if path.suffix.lower() in FORMS and not path.name.startswith(".") and text.is_file():
            lines = [line.strip() for line in read_text(text).split("\n") if line.strip()]
            rows += [Row(path, Said("", line, "caption"), None) for line in lines]
    return rows


def tabled(path: Path, spec: CaptionDataSpec) -> list[Row]:
    """The rows of a table: a picture, a text, a question if there is a column of them, a part if there is one; paths begin at its folder.

    Raises `DataError`: no such column (with those there are), a row without a path or a text, a file that is not there.
    """
    rows = read_rows(path, "utf-8")
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of paths and one of captions would work")
    columns = list(rows[0])
    images = column(path, columns, "image", spec.image, IMAGES)
    texts = column(path, [name for name in columns if name != images], "text", spec.text, CAPTIONS)
    left = [name for name in columns if name not in (images, texts)]
    split, asked = (next((name for name in left if name.strip().lower() in usual), None) for usual in (SPLITS, QUESTIONS))
    found: list[Row] = []
    for i, row in enumerate(rows, start=1):
        name, text = pair(path, i, row, images, texts)
        there = path.parent / Path(name).expanduser()
        if not there.is_file():
            raise DataError(f"{path} row {i}: {name}: no such file (looked for {there})")
        question = str(row[asked] or "").strip() if asked else ""
        said = Said(question, " ".join(text.split()), "question" if question else "caption")
        found.append(Row(there, said, part_named(str(row[split])) if split else None))
    return found


def own_captions(rows: Sequence[Row], spec: CaptionDataSpec) -> CaptionSet:
    """Pictures with all their texts, read at one size; parts that a table does not name are cut from those to learn from."""
    parts: dict[str, dict[Path, list[Said]]] = {part: {} for part in PARTS}
    for row in rows:
        parts[row.part or "train"].setdefault(row.path, []).append(row.said)
    if not parts["train"]:
        raise DataError(f"{spec.source}: no captions to learn from: a part named train, or no parts at all, would work")
    train = of_files(parts["train"], spec, spec.channels)
    whole = {part: of_files(parts[part], spec, train.pixels.shape[1]) if parts[part] else train.picked([]) for part in PARTS[1:]}
    said = ["the source's own parts" if any(row.part for row in rows) else "all of it"]
    for number, (part, share) in enumerate((("test", spec.test), ("validation", spec.validation))):
        if share and not len(whole[part]):
            train, whole[part] = cut(train, share, spec.seed + number)
            said.append(f"{len(whole[part]):,} of its pictures cut off for {part}")
    return CaptionSet(spec.source, {"train": train, **whole}, "; ".join(said))


def of_files(files: Mapping[Path, Sequence[Said]], spec: CaptionDataSpec, channels: int) -> Captions:
    """The pictures of files and their texts."""
    found = read([File(path, str(path), "") for path in files], spec.size, channels)
    return Captions(found.pixels, tuple(tuple(texts) for texts in files.values()), found.names)


def cut(found: Captions, share: float, seed: int) -> tuple[Captions, Captions]:
    """What stays and what is cut off, drawn by `seed`: one picture at least in each."""
    if len(found) < 2:
        raise DataError("there is one picture with a caption: two or more are needed, one to learn from and one to judge on")
    order = torch.randperm(len(found), generator=torch.Generator().manual_seed(seed)).tolist()
    count = min(max(1, round(share * len(found))), len(found) - 1)
    return found.picked(sorted(order[count:])), found.picked(sorted(order[:count]))
