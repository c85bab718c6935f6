"""Prices measured before, kept in a file: `prices-NUMBER.json` in $HEEDFUL_CACHE, one for each machine, number of threads and engine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from heedful.atomic import write
from heedful.attention.native.build import compiler, place
from heedful.cost.device import Fingerprint
from heedful.cost.table import folder, short
from heedful.manage.prices.price import Kind, Point
from heedful.manage.prices.work import Setting

VERSION = 3
Points = tuple[Point, ...]


def path_of(machine: Fingerprint) -> Path:
    """The file of a machine, for the engine as it is now compiled."""
    number = hashlib.sha256(f"{machine!r} {engine()}".encode()).hexdigest()[:12]
    return folder() / f"prices-{number}.json"


def engine() -> str:
    """What tells one state of the compiled engine from another; empty where there is none."""
    using = None if os.environ.get("HEEDFUL_NATIVE") == "0" else compiler()
    return "" if using is None else place(using).stem


def key(kind: Kind, label: str, setting: Setting) -> str:
    """What a measurement is known by."""
    own = f"{kind.heads}/{kind.kv_heads} heads of {kind.d}/{kind.v}"
    layers = f" x {setting.layers} layers" if setting.phase == "decode" else ""
    return f"{setting.phase} {setting.length} {short(setting.dtype)} batch {setting.batch}, {own}{layers}: {label}"


def read(machine: Fingerprint) -> dict[str, Points]:
    """What the file holds; nothing where there is none, or one that cannot be used: it is measured anew and written over."""
    try:
        held = json.loads(path_of(machine).read_text(encoding="utf-8"))
        if held["version"] != VERSION or held["machine"] != asdict(machine):
            return {}
        return {name: tuple((int(heads), float(time)) for heads, time in points) for name, points in held["prices"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def add(machine: Fingerprint, found: Mapping[str, Points]) -> None:
    """Write more of them beside what the file holds by now."""
    held = {**read(machine), **found}
    write(path_of(machine), json.dumps({"version": VERSION, "machine": asdict(machine), "prices": held}, indent=0))
