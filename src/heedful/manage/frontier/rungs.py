"""The rungs of the ladder: at each budget the plan, and every control that keeps within it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from torch import nn

from heedful.manage.allocate.case import Case, Machine
from heedful.manage.allocate.controls import control
from heedful.manage.allocate.hull import Unmet
from heedful.manage.allocate.uniform import extended
from heedful.manage.frontier.frontier import PLANNED
from heedful.manage.frontier.ladder import Ladder, Resource
from heedful.manage.objective import Batch, Loss
from heedful.manage.options.table import parse
from heedful.manage.plan import Plan
from heedful.manage.planning import Search, plan
from heedful.manage.profile import Profile
from heedful.spec.budget import Budget

NAMES: Final = {
    "uniform_window": "uniform window",
    "dropped_mass": "dropped mass",
    "duo_attention": "DuoAttention",
    "michel": "Michel",
    "random": "random",
}


@dataclass(frozen=True, slots=True)
class Rung:
    """A policy's plan at a budget, a share of the resource."""

    policy: str
    budget: float
    plan: Plan
    resource: Resource


@dataclass(frozen=True, eq=False)
class Source:
    """What plans are made from: a model, its profile, and batches on which whole plans are tried (None: by their losses alone)."""

    model: nn.Module
    profile: Profile
    calibrate: Sequence[Batch] | None
    loss: Loss | None
    search: Search

    @property
    def device(self) -> str:
        """Where the model is."""
        return next(self.model.parameters()).device.type

    def budget(self, share: float, resource: Resource) -> Budget:
        """A share of a resource at the profile's length."""
        length, phase = self.profile.length, self.profile.phase
        if resource == "operations":
            return Budget(operations=share, length=length, phase=phase)
        if resource == "bytes":
            return Budget(bytes=share, length=length, phase=phase)
        return Budget(milliseconds=share, length=length, phase=phase)


def rungs(source: Source, ladder: Ladder, tell: Callable[[str], None]) -> tuple[list[Rung], list[str]]:
    """All of them, policy by policy, and a note on each control that no budget of the ladder can be met by."""
    made, missed = list[Rung](), dict[str, list[str]]()
    for share in ladder.budgets:
        budget = source.budget(share, ladder.resource)
        tell(f"plans at {share:.0%}")
        with_model = source.model if source.calibrate is not None else None
        found = plan(source.profile, budget, model=with_model, batches=source.calibrate, loss=source.loss, search=source.search)
        made.append(Rung(PLANNED, share, found, ladder.resource))
        case = Case.of(source.profile, budget, Machine(source.device))
        for name in ladder.controls:
            try:
                made.append(Rung(NAMES[name], share, control(name, case, ladder.seed), ladder.resource))
            except Unmet:
                missed.setdefault(NAMES[name], []).append(f"{share:.0%}")
    order = [PLANNED, *(NAMES[name] for name in ladder.controls)]
    notes = [f"{name} cannot keep within {' or '.join(shares)} of the {ladder.resource}." for name, shares in missed.items()]
    return sorted(made, key=lambda rung: (order.index(rung.policy), -rung.budget)), notes


def widest(source: Source, found: Sequence[Rung]) -> Case:
    """The profile with every option that some rung uses, the dearest first."""
    profile, length = source.profile, source.profile.length
    used = {name for rung in found for row in rung.plan.choices for name in row}
    for name in sorted(used - set(profile.options)):
        profile = extended(profile, [parse(name)], length)
    order = sorted(range(len(profile.options)), key=lambda at: (-profile.parsed[at].kept(length), profile.parsed[at].word != "full"))
    options = tuple(profile.options[at] for at in order)
    losses = {name: table[:, order] for name, table in profile.losses.items()}
    return Case.of(replace(profile, options=options, losses=losses), found[0].plan.budget, Machine(source.device))
