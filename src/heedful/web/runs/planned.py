"""The model under its plan, beside the model as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

from torch import nn

from heedful.errors import UsageError
from heedful.manage.apply.apply import apply
from heedful.manage.hosts.ours import Ours
from heedful.manage.plan import Plan
from heedful.web.runs.run import Wanted

T = TypeVar("T")
CROSSES: Final = "a plan is for layers that read their own stream, and all of this model's look across to another"
HEADLESS: Final = "the model has no layers of heads that a plan could change"


class Held(Protocol):
    """Whatever holds a model."""

    @property
    def model(self) -> nn.Module:
        """The model."""


H = TypeVar("H", bound=Held)


def beside(load: Callable[[Path], H], path: Path, plan: Path | None) -> H | None:
    """A run loaded once more, its model under a plan; None where there is none."""
    if plan is None:
        return None
    found = load(path)
    under(found.model, plan)
    return found


def under(model: nn.Module, plan: Path) -> nn.Module:
    """The model as a plan says, on short inputs too: it is looked at to see the plan, not to save the time.

    Errors: `UsageError` for a plan of other weights, `Unsupported` for layers that take none, such as those that look across.
    """
    return apply(model, Plan.load(plan), dense_below=0)


def unplanned(model: nn.Module) -> str | None:
    """Why no plan can be made of a model; None where one can."""
    found = Ours().sites(model)
    if not found:
        return HEADLESS
    return CROSSES if all(site.fixed for site in found) else None


def chosen(wanted: Wanted, plain: T, planned: T | None, run: Path) -> T:
    """What is looked at: as it is, or under the plan."""
    if not wanted.planned:
        return plain
    if planned is None:
        raise UsageError(f"{run} is served without a plan: heedful serve --plan would work")
    if wanted.silent:
        raise UsageError("heads are muted in the model as it is: without its plan it would work")
    return planned
