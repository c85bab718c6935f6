"""Where a log comes from: a table, a folder of a known layout, a set by name, or the simulated readers."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from heedful.data.interactions.layouts import read_folder
from heedful.data.interactions.log import Log
from heedful.data.interactions.simulated import simulated_reader
from heedful.data.interactions.tables import read_described, read_log
from heedful.data.sources import data_home
from heedful.errors import DataError
from heedful.spec.interactions import LogDataSpec

EMBEDDED: Final = "simulated-reader"


def load_log(spec: LogDataSpec) -> Log:
    """The log that `spec.source` names, without the rows and users that the spec leaves out.

    >>> load_log(LogDataSpec(core=5)).name
    'simulated-reader'

    Raises `DataError`: missing (with what would work), not a table, no interaction left.
    """
    log = opened(spec)
    if spec.items is not None:
        log = replace(log, about_items=read_described(Path(spec.items).expanduser(), spec.encoding, "item"))
    if spec.users is not None:
        log = replace(log, about_users=read_described(Path(spec.users).expanduser(), spec.encoding, "user"))
    return left(log, spec)


def opened(spec: LogDataSpec) -> Log:
    """What the source itself holds."""
    if spec.source == EMBEDDED:
        return simulated_reader()
    path = Path(spec.source).expanduser()
    if path.is_file():
        return read_log(path, spec)
    if path.is_dir() and spec.source:
        return read_folder(path, spec)
    named = data_home() / spec.source
    if spec.source and not path.is_absolute() and ".." not in path.parts and named.is_dir():
        return read_folder(named, spec)
    raise missing(spec.source)


def left(log: Log, spec: LogDataSpec) -> Log:
    """The log without low values, the end that is cut off, and users of few interactions."""
    found = log
    if spec.least is not None:
        if np.isnan(found.values).all():
            raise DataError(f"{log.name}: data.least is {spec.least:g}, and the log has no values: data.value=NAME names their column")
        found = found.kept(found.values >= spec.least)
    if spec.until < 1 and len(found):
        if not found.timed:
            raise DataError(f"{log.name}: data.until is {spec.until:g}, and the log has no times to end it by")
        found = found.kept(found.time < np.quantile(found.time, spec.until, method="higher"))
    counts = np.bincount(found.user, minlength=len(found.users))
    found = found.kept(counts[found.user] >= spec.core)
    if not len(found):
        raise DataError(f"{log.name}: none of its {len(log):,} interactions is left by data.least, data.until and data.core")
    return found


def missing(source: str) -> DataError:
    """The error for a source that is none, with what would work."""
    home = data_home()
    sets = sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []
    close = difflib.get_close_matches(source, [*sets, EMBEDDED], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return DataError(
        f"no interactions at {source!r}: {hint}a table of users and items, a folder (MovieLens, S3-Rec, Open Bandit), {EMBEDDED}, "
        f"or a set under {home} would work"
    )
