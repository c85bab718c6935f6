"""Labelled texts of the Hugging Face hub, by name, through its own library; of a set in the local cache nothing is fetched."""

from __future__ import annotations

from typing import Any, Final

from heedful.data.labelled.tables import LABELS, TEXTS, column, pair
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.data.sources import PARTS
from heedful.errors import DataError
from heedful.spec.data import DataSpec

HUB: Final = "hf:"


def from_hub(spec: DataSpec) -> LabelledCorpus:
    """The set hf:NAME (or hf:NAME/SUBSET after a second slash), its columns found or named by the spec, its classes by their names.

    Errors: `DataError` without the package datasets, and for a set that cannot be had or has no such columns.
    """
    try:
        from datasets import load_dataset
    except ImportError:
        raise DataError(f"{spec.source}: read by the package datasets, which is not installed: pip install datasets") from None
    name = spec.source.removeprefix(HUB)
    words = name.split("/")
    try:
        found = load_dataset("/".join(words[:2]), *words[2:3])
    except Exception as error:  # whatever of the network, the disk and the set's own form
        raise DataError(f"{spec.source}: cannot be had: {' '.join(str(error).split())[:200]}") from None
    usual = {part: next((found[given] for given in names if given in found), None) for part, names in PARTS.items()}
    parts = {part: texts_of(spec, rows) for part, rows in usual.items() if rows is not None}
    if "train" not in parts:
        raise DataError(f"{spec.source}: no part named train in it: found {', '.join(map(str, found))}")
    return LabelledCorpus(spec.source, parts, f"the hub's own parts: {', '.join(parts)}")


def texts_of(spec: DataSpec, rows: Any) -> Texts:
    """One part; a class that is only counted is given the name that the set has for it."""
    columns = list(rows.column_names)
    text = column(spec.source, columns, "text", spec.text, TEXTS)
    label = column(spec.source, [name for name in columns if name != text], "label", spec.label, LABELS)
    names: list[str] | None = rows.features[label].names if "names" in vars(rows.features[label]) else None
    known = [{text: row[text], label: names[row[label]] if names and row[label] >= 0 else row[label]} for row in rows]
    pairs = [pair(spec.source, i, row, text, label) for i, row in enumerate(known, start=1)]
    return Texts(tuple(words for words, _ in pairs), tuple(kind for _, kind in pairs))
