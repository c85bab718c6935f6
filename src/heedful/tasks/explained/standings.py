"""What was measured of the methods on a run, kept beside it: explain.json, and which method is the run's default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Final

from torch import nn

from heedful import atomic
from heedful.errors import CheckpointError
from heedful.explanations.faithfulness.comparison import Comparison
from heedful.explanations.faithfulness.standing import Standing
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.table import AUTO, default_for, find_method
from heedful.explanations.subject import Subject
from heedful.manage.objective import model_hash

VERSION: Final = 1
FILE: Final = "explain.json"


def record_of(found: Comparison, model: nn.Module) -> dict[str, Any]:
    """A comparison as JSON data, with the hash of the model that it is of."""
    return {
        "version": VERSION,
        "model": model_hash(model),
        "data": found.data,
        "texts": found.texts,
        "best": found.best.method.name,
        "methods": {line.method.name: plain(line.row(found.chance)) for line in found.lines},
        "skipped": found.skipped,
    }


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Intervals as numbers."""
    return {name: asdict(value) if is_dataclass(value) and not isinstance(value, type) else value for name, value in row.items()}


def keep(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write it beside the run, whole or not at all."""
    path = folder / FILE
    atomic.write(path, json.dumps(record, indent=2) + "\n")
    return path


def kept(folder: Path, model: nn.Module) -> dict[str, Any] | None:
    """What was measured of this very model; None where nothing was, or where it has learnt on since.

    Raises `CheckpointError` for a file that is damaged or newer.
    """
    path = folder / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] != VERSION:
            raise CheckpointError(
                f"{path}: version {found['version']}, this Heedful reads {VERSION}: `heedful explain --compare` writes it anew"
            )
        return dict(found) if found["model"] == model_hash(model) else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: damaged ({error!r}): `heedful explain --compare` writes it anew") from None


def settled(folder: Path, model: nn.Module, name: str | None, subject: Subject) -> tuple[Method, Standing | None]:
    """The method asked for (the run's own default where none is), and what was measured of it."""
    found = kept(folder, model)
    asked = None if name == AUTO else name
    chosen = default_for(subject) if asked is None and found is None else find_method(asked or (found or {})["best"])
    return chosen, None if found is None else standing(found, chosen.name)


def standing(found: Mapping[str, Any], name: str) -> Standing | None:
    """What was measured of one method."""
    row = found["methods"].get(name)
    if row is None or row["over_random"] is None:
        return None
    numbers = {each: row[each]["mean"] for each in ("comprehensiveness", "sufficiency")}
    return Standing.of({"method": name, "texts": found["texts"], "data": found["data"], **numbers, "over_random": row["over_random"]})
