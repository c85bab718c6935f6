"""A frontier: what each policy loses at each budget, what it costs, and which of them nothing else is better than."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from jaxtyping import Bool, Float

from heedful.atomic import write
from heedful.manage.frontier.ladder import Resource
from heedful.manage.options.option import Phase
from heedful.manage.site import Site
from heedful.manage.verify.report import finite

VERSION: Final = 1
PLANNED: Final = "planned"


@final
@dataclass(frozen=True, slots=True)
class Point:
    """One policy at one budget.

    Arguments:
        policy: "planned", or the control's name. budget: the share of what the attention core takes that it was given.
        spent: of the frontier's resource. predicted: milliseconds of the attention core; measured: of the whole model, None
            where it was not run.
        loss: nats a token above the dense model; upper: its one-sided 95 % bound.
        kl, agreement: of its predictions with the dense model's. bytes: of the cache.
        choices: the option of every head of every site, as an index into the frontier's options.
        front: whether no other point is as cheap and loses less, or loses as little and is cheaper.
    """

    policy: str
    budget: float
    spent: float
    predicted: float
    measured: float | None
    loss: float
    upper: float
    kl: float
    agreement: float
    bytes: float
    choices: tuple[int, ...]
    front: bool = False


@final
@dataclass(frozen=True, slots=True)
class Frontier:
    """All points of one model at one length.

    Arguments:
        name, model, machine, dtype: what was measured, and where. length, phase: at which.
        resource: what the budgets are shares of: milliseconds, operations or bytes of the attention core.
        sites: the attention layers. options: names of the options; losses and milliseconds: of each head (rows) under each;
            openings: of each site, what an option's group takes beside its heads.
        estimator: whose losses they are. nats: of the dense model, a token. spent, predicted, measured, bytes: of the dense model.
        unit: what was resampled for the bounds. points: planned ones first. notes: what a reader should know.
    """

    name: str
    model: str
    machine: str
    dtype: str
    length: int
    phase: Phase
    resource: Resource
    sites: tuple[Site, ...]
    options: tuple[str, ...]
    losses: tuple[tuple[float, ...], ...]
    milliseconds: tuple[tuple[float, ...], ...]
    openings: tuple[tuple[float, ...], ...]
    estimator: str
    nats: float
    spent: float
    predicted: float
    measured: float | None
    bytes: float
    unit: str
    points: tuple[Point, ...]
    notes: tuple[str, ...] = ()
    version: int = VERSION

    @property
    def policies(self) -> tuple[str, ...]:
        """By name, the plan first."""
        return tuple(dict.fromkeys(point.policy for point in self.points))

    def of(self, policy: str) -> tuple[Point, ...]:
        """The points of one policy, the largest budget first."""
        return tuple(sorted((point for point in self.points if point.policy == policy), key=lambda point: -point.budget))

    def perplexity(self, loss: float) -> float:
        """Of a model that loses so many nats a token; infinite where no number holds it."""
        return math.exp(self.nats + loss) if self.nats + loss < 700 else math.inf

    def record(self) -> dict[str, Any]:
        """As plain data; numbers that JSON cannot hold are None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def save(self, path: Path | str) -> Path:
        """Write it as JSON, whole or not at all."""
        path = Path(path)
        write(path, json.dumps(self.record(), indent=1) + "\n")
        return path


def front(cost: Float[np.ndarray, " n"], loss: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Which points nothing dominates: no other is at most as dear and at most as lossy, and one of the two strictly less.

    >>> front(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 1.0])).tolist()
    [True, False, True]
    """
    cheaper, better = cost[:, None] <= cost, loss[:, None] <= loss
    strictly = (cost[:, None] < cost) | (loss[:, None] < loss)
    return np.asarray(~(cheaper & better & strictly).any(0))


def marked(points: Sequence[Point]) -> tuple[Point, ...]:
    """The points with `front` set, by what they spend and lose."""
    if not points:
        return ()
    on = front(np.array([point.spent for point in points]), np.array([point.loss for point in points]))
    return tuple(Point(**{**asdict(point), "choices": point.choices, "front": bool(flag)}) for point, flag in zip(points, on, strict=True))
