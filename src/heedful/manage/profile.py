"""A profile: for every head of a model, what each option loses and costs, and where the head's attention goes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float64
from torch import nn

from heedful.atomic import write
from heedful.errors import DataError, UsageError
from heedful.manage.interactions import Gram, loss, read, written
from heedful.manage.objective import model_hash
from heedful.manage.options.option import PHASES, Option, Phase
from heedful.manage.options.table import FULL, parse
from heedful.manage.site import Site

VERSION = 1
LARGEST = 1 << 28  # bytes of a file that is read
Table = Float64[np.ndarray, "heads options"]
Column = Float64[np.ndarray, "heads ..."]


@dataclass(frozen=True, slots=True)
class Gated:
    """What a gate of the model loses under one treatment: "kept", "threshold(0.1)" or "removed".

    `name` is the gate's path in the model, `kind` what it is; `skipped` the share of channels or tokens that it then
    leaves out; `losses` by estimator, in nats a token. `number` is the threshold, `open` the channels that stay above it.
    """

    name: str
    kind: str
    treatment: str
    skipped: float
    losses: Mapping[str, float]
    number: float = 0.0
    open: tuple[int, ...] = ()


@final
@dataclass(frozen=True, eq=False)
class Profile:
    """What was found on some batches; rows are the query heads of site 0, then of site 1, and so on.

    Arguments:
        model: hash of the model's weights; name: what it was called; machine: what the times were measured on.
        sites: the attention layers. dtype: of queries and keys, "float32" say.
        phase: whether options were tried in a pass over whole sequences, or in steps after a `prefill` of so many tokens.
        lengths: of the sequences; tokens: how many places were counted; sequences: how many there were.
        options: names, the first is "full". losses: by estimator, (heads, options), in the estimator's own unit.
        patterns: by name, (heads,) or (heads, something). costs: what options cost, as `prices` found.
        interactions: of each site, what its heads' options lose by two and two (`manage/interactions.py`); none where not known.
        gates: what the gates of the model lose. batches: hashes of the sequences, which `verify` refuses.
    """

    model: str
    name: str
    sites: tuple[Site, ...]
    machine: str
    dtype: str
    lengths: tuple[int, ...]
    phase: Phase
    options: tuple[str, ...]
    losses: Mapping[str, Table]
    batches: tuple[str, ...]
    tokens: int
    sequences: int = 0
    prefill: int | None = None
    patterns: Mapping[str, Column] = field(default_factory=dict)
    costs: Mapping[str, Any] = field(default_factory=dict)
    gates: tuple[Gated, ...] = ()
    interactions: tuple[Gram, ...] = ()
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise UsageError(f"a profile is of the phase prefill or decode: found {self.phase!r}")
        if self.parsed[:1] != (FULL,):
            raise UsageError(f"a profile's first option is full: found {', '.join(self.options) or 'none'}")
        shape = (len(self.heads), len(self.options))
        for name, table in self.losses.items():
            if table.shape != shape:
                raise UsageError(f"losses by {name} are of {shape[0]} heads x {shape[1]} options: found {table.shape}")
        for name, table in (*self.losses.items(), *self.patterns.items()):
            if len(table) != shape[0] or not np.isfinite(table).all():
                raise UsageError(f"{name}: {shape[0]} rows of finite numbers were expected; is what the model computes finite?")

    @cached_property
    def heads(self) -> tuple[tuple[int, int], ...]:
        """(site, head) of each row."""
        return tuple((site.index, head) for site in self.sites for head in range(site.heads))

    @cached_property
    def parsed(self) -> tuple[Option, ...]:
        """The options themselves."""
        return tuple(map(parse, self.options))

    @cached_property
    def offered(self) -> Bool[np.ndarray, "heads options"]:
        """Which options a head can take, as `offers` says."""
        return np.array([[offers(site, option, self.phase) for option in self.parsed] for site in self.sites for _ in range(site.heads)])

    @property
    def length(self) -> int:
        """The greatest of the lengths."""
        return max(self.lengths)

    def together(self, choices: Sequence[Sequence[str]]) -> float | None:
        """What a choice of options loses with the heads of each layer taken together, in nats a token; None where that is not known."""
        if len(self.interactions) != len(self.sites):
            return None
        numbers = [[self.options.index(name) for name in row] for row in choices]
        return sum(loss(table, row) for table, row in zip(self.interactions, numbers, strict=True))

    def row(self, site: int, head: int) -> int:
        """Where a head stands in the tables."""
        return self.heads.index((site, head))

    def refuse(self, model: nn.Module) -> None:
        """Raise `UsageError` if the profile is of other weights than this model's."""
        found = model_hash(model)
        if found != self.model:
            raise UsageError(f"the profile is of the model {self.model[:12]}, this one is {found[:12]}: `heedful profile` would work")

    def table(self, width: int = 120) -> str:
        """The roles of the heads and the losses of the options, as text for a terminal."""
        from heedful.manage.portrait import text

        return text(self, width)

    def save(self, path: Path | str) -> Path:
        """Write it as JSON, whole or not at all."""
        path = Path(path)
        write(path, json.dumps(plain(self)) + "\n")
        return path

    @staticmethod
    def load(path: Path | str) -> Profile:
        """Read what `save` wrote; `DataError` for what is missing, damaged, too large or of another version."""
        path = Path(path)
        try:
            if path.stat().st_size > LARGEST:
                raise DataError(f"{path} is no profile: it has {path.stat().st_size >> 20} MiB, and none has more than {LARGEST >> 20}")
            held = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(
                f"cannot read the profile {path}: {error.strerror or error}; `heedful profile --out {path}` writes one"
            ) from error
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path} is no profile: it is not JSON ({error}); `heedful profile --out {path}` writes one") from error
        return restored(held, path)


def offers(site: Site, option: Option, phase: Phase) -> bool:
    """Whether an option has a meaning at a site: no rule of distance between two streams, no cache where later keys are seen."""
    if site.fixed:
        return option == FULL
    bare = option.drops or option == FULL
    return bare or (site.kind == "self" and (site.causal or phase == "prefill"))


def plain(profile: Profile) -> dict[str, Any]:
    """The profile as what JSON holds."""
    held = {f.name: vars(profile)[f.name] for f in fields(profile)}
    held["sites"] = [asdict(site) for site in profile.sites]
    held["gates"] = [asdict(gate) for gate in profile.gates]
    held["interactions"] = [written(table) for table in profile.interactions]
    for name in ("losses", "patterns"):
        held[name] = {key: table.tolist() for key, table in held[name].items()}
    return held


def restored(held: Any, path: Path) -> Profile:
    """A profile from what JSON holds."""
    version = held.get("version") if isinstance(held, dict) else None
    if version != VERSION:
        raise DataError(f"{path} is no profile of version {VERSION}, which this Heedful reads: found version {version}")
    try:
        found = dict(held)
        found["sites"] = tuple(Site(**site) for site in held["sites"])
        found["gates"] = tuple(Gated(**{**gate, "open": tuple(gate.get("open", ()))}) for gate in held["gates"])
        tables = zip(held.get("interactions", ()), found["sites"], strict=False)
        found["interactions"] = tuple(read(text, site.heads, len(held["options"])) for text, site in tables)
        for name in ("lengths", "options", "batches"):
            found[name] = tuple(held[name])
        for name in ("losses", "patterns"):
            found[name] = {key: np.array(table, dtype=np.float64) for key, table in held[name].items()}
        return Profile(**found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path} is a damaged profile: {type(error).__name__} {error}; `heedful profile --out {path}` writes one"
        ) from error
