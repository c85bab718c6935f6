"""A plan that lost too much, made richer: promotion within its profile, with the reason of every step written into the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, final

from torch import nn

from heedful.errors import UsageError
from heedful.manage.allocate.case import Case, Choice, Machine
from heedful.manage.objective import Batch, Loss
from heedful.manage.options.table import default_options
from heedful.manage.plan import Plan
from heedful.manage.profile import Profile
from heedful.manage.profiling import profile as profiled
from heedful.manage.verify.promote import Step, promoted

AIM: Final = 0.8  # of epsilon: what promotion takes the bound to, by the predicted losses
REFERENCE: Final = "fisher"


@final
@dataclass(frozen=True, eq=False)
class Promotion:
    """What options lose and cost, to promote with."""

    case: Case
    estimator: str
    resource: str

    @staticmethod
    def of(model: nn.Module, plan: Plan, select: Sequence[Batch], profile: Profile | None, loss: Loss | None) -> Promotion:
        """From a profile, or from one made on the batches for promotion."""
        if profile is None:
            named = {name for row in plan.choices for name in row}
            ladder = [option.name for option in default_options(plan.length, plan.budget.phase)]
            options = [*ladder, *sorted(named - set(ladder))]
            profile = profiled(model, select, loss=loss, options=options, length=plan.length, phase=plan.budget.phase)
        refuse(plan, profile)
        case = Case.of(profile, plan.budget, Machine(next(model.parameters()).device.type))
        estimator = plan.estimator if plan.estimator in profile.losses else REFERENCE
        return Promotion(case, estimator, next(iter(case.limits)))

    def richer(self, plan: Plan, bound: float, epsilon: float, used: Sequence[str]) -> tuple[Plan, tuple[Step, ...]]:
        """The plan with at least one head promoted, as many as the predicted loss asks for; no steps where all is full.

        `used`: the sequences that were looked at for this, which the plan remembers.
        """
        problem = self.case.problem(self.estimator)
        choice = self.case.units.choice(plan.choices)
        share = max(0.0, AIM * epsilon / bound) if bound > 0 else 1.0
        after, steps = promoted(problem, choice, share * problem.loss(choice), self.resource)
        return (self.written(plan, after, steps, used) if steps else plan), steps

    def written(self, plan: Plan, choice: Choice, steps: Sequence[Step], used: Sequence[str]) -> Plan:
        """The plan of a choice."""
        names = self.case.names(choice)
        why = self.reasons(steps)
        reasons = tuple(tuple(why.get((site, head), reason) for head, reason in enumerate(row)) for site, row in enumerate(plan.reasons))
        return replace(
            plan,
            choices=names,
            reasons=reasons,
            predicted=self.case.spend(choice),
            loss=self.case.problem(self.estimator).loss(choice),
            together=self.case.profile.together(names),
            calibrated=tuple(sorted({*plan.calibrated, *used, *self.case.profile.batches})),
        )

    def reasons(self, steps: Sequence[Step]) -> dict[tuple[int, int], str]:
        """Of every head that was promoted: from what, to what, and at which price, all its steps together."""
        profile, found = self.case.profile, {}
        for unit in {step.unit for step in steps}:
            own = [step for step in steps if step.unit == unit]
            saved, price = sum(step.saved for step in own), sum(step.price for step in own)
            change = f"promoted from {profile.options[own[0].before]} to {profile.options[own[-1].after]} when the plan was verified"
            for row in self.case.units.rows[unit]:
                found[profile.heads[row]] = f"{change}: {saved:.3g} saved for {price:.3g} {self.resource}"
        return found

    def told(self, step: Step) -> str:
        """A step in words."""
        site, head = self.case.profile.heads[self.case.units.rows[step.unit][0]]
        options = self.case.profile.options
        return f"layer {site + 1}, head {head + 1}: {options[step.before]} to {options[step.after]}"


def refuse(plan: Plan, profile: Profile) -> None:
    """Refuse a profile that cannot say what the plan's options lose."""
    if profile.model != plan.model:
        raise UsageError(f"the profile is of the model {profile.model[:12]}, the plan of {plan.model[:12]}: `heedful profile` would work")
    missing = {name for row in plan.choices for name in row} - set(profile.options)
    if missing:
        raise UsageError(
            f"the profile has no losses for {', '.join(sorted(missing))}, which the plan uses: the one it was made from would work"
        )
