"""Sets of the Hugging Face hub, by name, through its own library."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from heedful.data.images.reading import File
from heedful.data.sources import PARTS
from heedful.errors import DataError, MissingExtra
from heedful.spec.images import ImageDataSpec


def from_hub(name: str, spec: ImageDataSpec) -> dict[str, list[File]]:
    """The pictures of the hub's set `name` (OWNER/NAME) by part; columns as in a table.

    Raises `DataError`: a set that cannot be had, or that has no pictures or no classes.
    """
    try:
        from datasets import ClassLabel, Image, load_dataset
    except ImportError:
        raise MissingExtra("datasets", "vision", "reading sets of the Hugging Face hub") from None
    try:
        whole = load_dataset(name)
    except Exception as error:  # the library raises whatever its transport does
        raise DataError(f"hf:{name}: cannot be had: {' '.join(str(error).split())[:200]}") from None
    found: dict[str, list[File]] = {}
    for split, rows in whole.items():
        kinds: Mapping[str, Any] = rows.features
        image = spec.image or next((column for column, kind in kinds.items() if isinstance(kind, Image)), None)
        label = spec.label or next((column for column, kind in kinds.items() if isinstance(kind, ClassLabel)), None)
        if image is None or label is None or image not in kinds or label not in kinds:
            raise DataError(
                f"hf:{name}: no column of pictures and one of classes among {', '.join(kinds)}: data.image and data.label name them"
            )
        part = next((part for part, names in PARTS.items() if split.lower() in names), None)
        if part is None:
            continue
        names = kinds[label].names if isinstance(kinds[label], ClassLabel) else None
        found[part] = [
            File(packed(row[image]), f"hf:{name}:{split}:{i}", names[row[label]] if names else str(row[label]))
            for i, row in enumerate(rows)
        ]
    if not found:
        raise DataError(f"hf:{name}: no part called train: it has {', '.join(whole)}")
    return found


def packed(picture: Any) -> bytes:
    """A picture of Pillow's as a PNG."""
    memory = io.BytesIO()
    picture.save(memory, format="PNG" if picture.mode not in ("CMYK", "F") else "TIFF")
    return memory.getvalue()
