"""What a choice is made from: a profile, the prices of its options at the budget's length, and the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
from jaxtyping import Int64

from heedful.cost.table import DTYPES
from heedful.errors import UsageError
from heedful.manage.allocate.problem import Problem
from heedful.manage.allocate.units import Names, Units, spend
from heedful.manage.plan import FULL, Spend
from heedful.manage.prices.prices import Prices, prices
from heedful.manage.prices.work import Setting
from heedful.manage.profile import Profile
from heedful.spec.budget import Budget

LONGER = 4.0  # times the profile's longest text
Choice = Int64[np.ndarray, " units"]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the plan is to run: the device, and how many texts at once. `fresh`: its prices are measured anew."""

    device: str = "cpu"
    batch: int = 1
    fresh: bool = False


@dataclass(frozen=True, eq=False)
class Case:
    """One profile under one budget, whose length is filled in; `limits` are in the resources' own units."""

    profile: Profile
    budget: Budget
    units: Units
    prices: Prices
    dense: Spend
    limits: Mapping[str, float]

    @staticmethod
    def of(profile: Profile, budget: Budget, machine: Machine = Machine(), tell: Tell = lambda text: None) -> Case:
        """Measure what has to be measured; `UsageError` for a length or phase that the profile says nothing about."""
        length = budget.length or profile.length
        budget = replace(budget, length=length)
        check_length(profile, length)
        shared = budget.phase == "decode" or budget.bytes is not None
        units = Units.of(profile, budget.phase, length, shared=shared)
        check_options(units, budget)
        setting = Setting(length, budget.phase, DTYPES[profile.dtype], machine.device, machine.batch)
        priced = prices(profile.sites, profile.parsed, setting, fresh=machine.fresh, tell=tell)
        dense = spend(profile.sites, all_full(profile), priced)
        return Case(profile, budget, units, priced, dense, budget.limits(asdict(dense)))

    @property
    def length(self) -> int:
        """The length that is planned for."""
        assert self.budget.length is not None
        return self.budget.length

    @property
    def share(self) -> float:
        """The tightest limit as a share of what attention takes without a plan."""
        dense: dict[str, float] = asdict(self.dense)
        return min(limit / max(dense[resource], 1e-30) for resource, limit in self.limits.items())

    def problem(self, estimator: str) -> Problem:
        """The knapsack under one estimator's losses."""
        return self.units.problem(self.prices, self.limits, estimator)

    def names(self, choice: Choice) -> Names:
        """Options by site and head."""
        return self.units.names(choice)

    def spend(self, choice: Choice) -> Spend:
        """What a choice takes."""
        return spend(self.profile.sites, self.names(choice), self.prices)

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of how far the profile reaches."""
        found = []
        near = min(self.profile.lengths, key=lambda length: abs(length - self.length))
        if near != self.length:
            direction = "longer texts lose more behind a window" if self.length > near else "shorter texts lose less behind a window"
            found.append(f"losses were measured at {near} tokens and are taken as they are at {self.length}: {direction}")
        if self.budget.phase != self.profile.phase:
            found.append(f"losses are those of {self.profile.phase}: windows that hold in {self.budget.phase} too")
        return tuple(found)


def all_full(profile: Profile) -> Names:
    """Nothing left out."""
    return tuple((FULL,) * site.heads for site in profile.sites)


def check_length(profile: Profile, length: int) -> None:
    """Refuse a length so far beyond the profile's that it says nothing of what windows lose there."""
    if length > LONGER * profile.length:
        raise UsageError(
            f"the profile was measured at {profile.length} tokens and the plan is for {length}, more than {LONGER:g} times as long, "
            f"where its losses say nothing: `heedful profile --length {int(length / LONGER)}` or more would work"
        )


def check_options(units: Units, budget: Budget) -> None:
    """Refuse a profile none of whose options, but full and drop, saves anything in that phase at that length."""
    offered = [bool(column.any()) for column in units.allowed.T]
    if any(offered[number] for number, option in enumerate(units.profile.parsed) if option.word != "full" and not option.drops):
        return
    if len(units.profile.options) <= 2 and all(offered):  # heads to be kept or dropped are all that was asked for
        return
    names = ", ".join(units.profile.options)
    raise UsageError(
        f"none of the profile's options saves anything in {budget.phase} at {budget.length} tokens: found {names}; "
        f"`heedful profile --phase {budget.phase}` at about that length would work"
    )
