"""What was measured on this machine: kept in a file, read once, and asked for milliseconds.

The file is `costs-NUMBER.json` in $HEEDFUL_CACHE (~/.cache/heedful unless set), one for each machine and number of threads.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from heedful.atomic import write
from heedful.cost.attention import Sizes
from heedful.cost.device import Fingerprint, fingerprint
from heedful.cost.load import Load
from heedful.cost.model import Model, Point, fitted
from heedful.cost.rates import ALIKE, BUILT_IN, GUESSED, TRAINING, Key
from heedful.errors import DataError

VERSION = 1
Points = Mapping[Key, tuple[Point, ...]]


@dataclass(slots=True, eq=False)
class Table:
    """Measurements of a machine by kernel, dtype and pass; without any, the built-in rates."""

    points: Points = field(default_factory=dict)
    built_in: Mapping[Key, Model] = field(default_factory=lambda: BUILT_IN)
    models: dict[Key, Model | None] = field(default_factory=dict)
    times: dict[Load, float | None] = field(default_factory=dict)

    def milliseconds(self, load: Load) -> float | None:
        """How long a load takes; None where nothing is known of its kernel."""
        known = self.times.get(load, -1.0)
        if known is None or known >= 0.0:
            return known
        if len(self.times) >= MOST:
            self.times.clear()
        self.times[load] = time = self._time(load)
        return time

    def measured(self, load: Load) -> bool:
        """Whether the load's kernel was measured here, in its dtype and pass."""
        return (load.kernel, short(load.sizes.dtype), load.backward) in self.points

    def _time(self, load: Load) -> float | None:
        """By the kernel's own model, else by a like precision's, else by that without gradients."""
        dtype = short(load.sizes.dtype)
        other, slower = ALIKE.get(dtype, (dtype, 1.0))
        ways = [(dtype, load.backward, 1.0), (other, load.backward, slower)]
        if load.backward:
            ways += [(dtype, False, TRAINING), (other, False, slower * TRAINING)]
        for name, backward, times in ways:
            model = self._model((load.kernel, name, backward))
            if model is not None:
                return load.pieces * load.times * times * model.milliseconds(load.timed)
        return None

    def _model(self, key: Key) -> Model | None:
        if key not in self.models:
            points = self.points.get(key)
            self.models[key] = fitted(points) if points else self.built_in.get(key)
        return self.models[key]


MOST = 4096  # predictions kept


def short(dtype: torch.dtype) -> str:
    """A dtype without its module."""
    return str(dtype).removeprefix("torch.")


def current(device: str = "cpu") -> Table:
    """The table of this machine with the threads that torch uses now; the built-in rates where it was not measured."""
    return _current(device, torch.get_num_threads())


@lru_cache(maxsize=16)
def _current(device: str, threads: int) -> Table:
    machine, rates = fingerprint(device), GUESSED if device.startswith("cuda") else BUILT_IN
    path = file_of(machine)
    if not path.exists():
        return Table(built_in=rates)
    try:
        return Table(read(path, machine), rates)
    except DataError as error:  # a file that went bad must not keep attention from running
        warnings.warn(f"{error}; built-in rates are used", stacklevel=2)
        return Table(built_in=rates)


def forget() -> None:
    """Read the file anew when next asked."""
    _current.cache_clear()


def folder() -> Path:
    """Where the files are."""
    named = os.environ.get("HEEDFUL_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "heedful"


def file_of(machine: Fingerprint) -> Path:
    """The file of a machine."""
    number = hashlib.sha256(repr(machine).encode()).hexdigest()[:12]
    return folder() / f"costs-{number}.json"


def save(points: Points, machine: Fingerprint) -> Path:
    """Write the measurements, whole or not at all; what they replace is gone."""
    path = file_of(machine)
    rows = [row for key, some in points.items() for row in recorded(key, some)]
    write(path, json.dumps({"version": VERSION, "machine": asdict(machine), "points": rows}))
    forget()
    return path


def recorded(key: Key, points: Iterable[Point]) -> list[dict[str, Any]]:
    """The points of one kernel as plain data."""
    kernel, dtype, backward = key
    plain = [{name: value for name, value in asdict(point.sizes).items() if name != "dtype"} for point in points]
    return [
        {"kernel": kernel, "dtype": dtype, "backward": backward, "sizes": sizes, "milliseconds": point.milliseconds}
        for sizes, point in zip(plain, points, strict=True)
    ]


def read(path: Path, machine: Fingerprint) -> Points:
    """The measurements in a file; `DataError` for one that is of another form, no measurements for one of another machine."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["version"] != VERSION or held["machine"] != asdict(machine):
            return {}
        found: dict[Key, list[Point]] = {}
        for row in held["points"]:
            sizes = Sizes(**row["sizes"], dtype=DTYPES[row["dtype"]])
            found.setdefault((row["kernel"], row["dtype"], row["backward"]), []).append(Point(sizes, row["milliseconds"]))
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise DataError(f"{path} holds no measurements: {type(error).__name__} {error}; delete it, or `heedful bench --measure`") from error
    return {key: tuple(points) for key, points in found.items()}


DTYPES = {short(dtype): dtype for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16)}
