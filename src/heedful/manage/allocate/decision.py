"""From a decision to a plan: the choice written out with its reasons, costs and origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from heedful.manage.allocate.case import Case, Choice
from heedful.manage.allocate.joint import Trial
from heedful.manage.allocate.projected import saved
from heedful.manage.allocate.reasons import reasons
from heedful.manage.estimators.table import ESTIMATORS
from heedful.manage.gates.choice import Closed, lines
from heedful.manage.hashes import batches_hashes
from heedful.manage.plan import Plan


@dataclass(frozen=True, eq=False)
class Decision:
    """A choice, what decided it, the bound on the reference's losses (None: not known), and what was tried as a whole."""

    choice: Choice
    estimator: str
    reference: str
    bound: float | None = None
    joint: Mapping[str, float] | None = None
    notes: tuple[str, ...] = ()


def drawn_up(case: Case, decision: Decision, trial: Trial | None = None, gates: tuple[Closed, ...] = ()) -> Plan:
    """The plan of a decision, with the gates that are closed in part."""
    profile, problem = case.profile, case.problem(decision.reference)
    names, tokens = case.names(decision.choice), case.length if case.budget.phase == "prefill" else 1
    looked = () if trial is None else batches_hashes(trial.few())
    loss, together = problem.loss(decision.choice), profile.together(names)
    return Plan(
        model=profile.model,
        machine=str(case.prices.machine),
        budget=case.budget,
        sites=profile.sites,
        choices=names,
        reasons=reasons(case.units, problem, decision.choice, unit_of(decision.reference)),
        predicted=case.spend(decision.choice),
        dense=case.dense,
        loss=loss,
        bound=None if decision.bound is None else min(decision.bound, loss),
        estimator=decision.estimator,
        joint=dict(decision.joint or {}),
        calibrated=tuple(sorted({*profile.batches, *looked})),
        dtype=profile.dtype,
        saved_projections=0.0 if trial is None else saved(trial.model, profile.sites, names, tokens),
        together=together,
        gates=gates,
        notes=(
            *case.notes(),
            *slower(case, decision.choice),
            *decision.notes,
            *beside(decision, loss if together is None else together),
            *lines(gates),
        ),
    )


def unit_of(estimator: str) -> str:
    """The unit of an estimator's losses."""
    return next((row.unit for row in ESTIMATORS if row.name == estimator), "")


def beside(decision: Decision, foretold: float) -> tuple[str, ...]:
    """The predicted loss beside what the plan as a whole was measured to lose, where it was."""
    measured = [value for name, value in (decision.joint or {}).items() if name.startswith(decision.estimator)][-1:]
    if not measured or measured[0] <= 0.0:
        return ()
    return (f"predicted to lose {foretold:.4g} nats a token, measured {measured[0]:.4g}: off by {foretold / measured[0] - 1:+.0%}",)


def slower(case: Case, choice: Choice) -> tuple[str, ...]:
    """A warning where the plan would take longer than attention without it: groups cost something of their own."""
    planned, dense = case.spend(choice).milliseconds, case.dense.milliseconds
    if planned <= dense:
        return ()
    return (
        f"it would be slower than dense attention at {case.length} tokens ({planned:.3g} ms, dense {dense:.3g} ms): texts are too short",
    )
