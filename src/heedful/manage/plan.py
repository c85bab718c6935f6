"""A plan: one option for each head, the reason of each, what it costs and loses, and the model and machine it was made for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from torch import nn

from heedful.atomic import write
from heedful.errors import DataError, UsageError
from heedful.manage.gates.choice import Closed
from heedful.manage.objective import model_hash
from heedful.manage.site import Site
from heedful.spec.budget import Budget

VERSION = 1
FULL, DROP = "full", "drop"


@dataclass(frozen=True, slots=True)
class Spend:
    """What the attention of one text takes: milliseconds and operations of the phase, bytes of the caches at its length."""

    milliseconds: float
    operations: float
    bytes: float


@final
@dataclass(frozen=True, slots=True)
class Plan:
    """Which option each query head of each site has.

    Arguments:
        model: hash of the model's weights; machine: what the milliseconds were measured on.
        budget: what was asked, its length filled in.
        sites: the attention layers; choices and reasons: for each site, for each of its query heads.
        predicted, dense: what the plan, and attention without it, take; saved_projections: operations that dropped
            heads leave out beside (no part of the core).
        loss: the sum of single heads' losses in nats a token, by the reference estimator; bound: no choice within the budget has a
            lower one. together: what the plan is predicted to lose, the heads of a layer taken together (None: not known).
        estimator: whose losses decided; joint: each estimator's plan by the KL in nats a token of the whole plan,
            simulated on the calibration batches (empty where no model was given).
        calibrated: hashes of the batches the choice was made on: `verify` refuses them.
        notes: what a reader should know of how it was made. gates: those of the model that are closed in part.
    """

    model: str
    machine: str
    budget: Budget
    sites: tuple[Site, ...]
    choices: tuple[tuple[str, ...], ...]
    reasons: tuple[tuple[str, ...], ...]
    predicted: Spend
    dense: Spend
    loss: float
    bound: float | None
    estimator: str
    joint: Mapping[str, float]
    calibrated: tuple[str, ...]
    dtype: str = "float32"
    saved_projections: float = 0.0
    notes: tuple[str, ...] = ()
    together: float | None = None
    gates: tuple[Closed, ...] = ()
    version: int = VERSION

    def __post_init__(self) -> None:
        heads = tuple(site.heads for site in self.sites)
        if tuple(map(len, self.choices)) != heads or tuple(map(len, self.reasons)) != heads:
            raise UsageError(f"a plan has a choice and a reason for each head: sites have {heads} heads, choices {self.counts}")

    @property
    def foretold(self) -> float:
        """What it is predicted to lose: the heads of a layer together where that is known, for one by one they come out too cheap."""
        return self.loss if self.together is None else self.together

    @property
    def counts(self) -> tuple[int, ...]:
        """How many heads of each site have a choice."""
        return tuple(map(len, self.choices))

    @property
    def length(self) -> int:
        """The length it was made for."""
        assert self.budget.length is not None
        return self.budget.length

    @property
    def options(self) -> dict[str, int]:
        """How many heads each option has."""
        names = [name for site in self.choices for name in site]
        return {name: names.count(name) for name in dict.fromkeys(names)}

    def choice(self, site: int, head: int) -> str:
        """The option's name of one head."""
        return self.choices[site][head]

    def groups(self, site: int) -> dict[str, tuple[int, ...]]:
        """The heads of one site by their option, in the order in which the options first come."""
        row = self.choices[site]
        return {name: tuple(head for head, other in enumerate(row) if other == name) for name in dict.fromkeys(row)}

    def refuse(self, model: nn.Module) -> None:
        """Raise `UsageError` if the plan was made for other weights than this model's."""
        found = model_hash(model)
        if found != self.model:
            raise UsageError(
                f"the plan was made for the model {self.model[:12]}, this one is {found[:12]}: `heedful plan` for this model would work"
            )

    def save(self, path: Path | str) -> Path:
        """Write it as JSON, whole or not at all."""
        path = Path(path)
        write(path, json.dumps(asdict(self), indent=1) + "\n")
        return path

    @staticmethod
    def load(path: Path | str) -> Plan:
        """Read what `save` wrote; `DataError` for what is missing, damaged or of another version."""
        path = Path(path)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"cannot read the plan {path}: {error.strerror or error}; `heedful plan --out {path}` writes one") from error
        except ValueError as error:
            raise DataError(f"{path} is no plan: it is not JSON ({error}); `heedful plan --out {path}` writes one") from error
        return restored(held, path)


def restored(held: Any, path: Path) -> Plan:
    """A plan from what JSON holds."""
    version = held.get("version") if isinstance(held, dict) else None
    if version != VERSION:
        raise DataError(f"{path} is no plan of version {VERSION}, which this Heedful reads: found version {version}")
    try:
        plain = dict(held)
        plain["budget"] = Budget(**held["budget"])
        plain["sites"] = tuple(Site(**site) for site in held["sites"])
        plain["predicted"], plain["dense"] = Spend(**held["predicted"]), Spend(**held["dense"])
        plain["choices"], plain["reasons"] = rows(held["choices"]), rows(held["reasons"])
        plain["calibrated"], plain["notes"] = tuple(held["calibrated"]), tuple(held["notes"])
        plain["gates"] = closed_from(held.get("gates", ()))
        return Plan(**plain)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} is a damaged plan: {type(error).__name__} {error}; `heedful plan --out {path}` writes one") from error


def closed_from(held: Any) -> tuple[Closed, ...]:
    """Closed gates from what JSON holds."""
    return tuple(Closed(**{**row, "open": tuple(row["open"])}) for row in held)


def rows(table: Any) -> tuple[tuple[str, ...], ...]:
    """Lists of names as tuples."""
    return tuple(tuple(map(str, row)) for row in table)
