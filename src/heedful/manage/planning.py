"""Planning: a profile, this machine's prices and a budget make a plan, with the reason of every choice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from heedful.errors import UsageError, unknown
from heedful.manage.allocate import least, swap
from heedful.manage.allocate.case import Case, Machine, Tell, all_full
from heedful.manage.allocate.decision import Decision, drawn_up
from heedful.manage.allocate.joint import Trial
from heedful.manage.allocate.portfolio import FIRST, choose
from heedful.manage.gates.choice import closed
from heedful.manage.objective import Batch, Loss
from heedful.manage.plan import Plan
from heedful.manage.profile import Profile
from heedful.spec.budget import Budget

TIGHT = 0.2  # share of what dense attention takes, below which pairs are swapped


@dataclass(frozen=True)
class Search:
    """How a plan is looked for.

    Arguments:
        estimators: whose losses are tried; all of the profile's unless given. Without a model only the first decides.
        tokens: places of the batches on which whole plans are tried.
        swaps: whole plans tried beyond the portfolio's where the budget is below a fifth, for `seconds` at most.
        batch: texts at once, for the prices. fresh: measure prices anew.
        gates: nats a token that closing parts of the model's own gates may lose; 0 leaves them as they are.
    """

    estimators: tuple[str, ...] | None = None
    tokens: int = 16384
    swaps: int = 100
    seconds: float = 60.0
    batch: int = 1
    fresh: bool = False
    gates: float = 0.0

    def __post_init__(self) -> None:
        if not self.gates >= 0.0:
            raise UsageError(f"--gates is {self.gates:g}: the nats a token that closed gates may lose, 0 or more")


def plan(
    profile: Profile,
    budget: Budget,
    *,
    model: nn.Module | None = None,
    batches: Iterable[Batch] | None = None,
    loss: Loss | None = None,
    search: Search = Search(),
    progress: Tell | None = None,
) -> Plan:
    """One option for each head, of least loss within the budget.

    >>> import torch, heedful
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=2))
    >>> profile = heedful.profile(model, [{"input_ids": torch.randint(11, (1, 64))}])
    >>> plan = heedful.plan(profile, heedful.Budget(operations=0.5))
    >>> plan.predicted.operations <= 0.5 * plan.dense.operations, len(plan.choices[0])
    (True, 2)

    Arguments:
        profile: of the model, in the budget's phase (windows of a prefill's profile also serve a decode budget).
        budget: its length, or the profile's longest, is what is planned for.
        model, batches: with both, each estimator's plan is tried as a whole on the batches, and the best of them taken; below a
            fifth of the budget pairs of heads are then swapped. The batches count as calibration: `verify` refuses them.
        loss: as the profile's. search: how long is looked, and by which estimators.
        progress: hears what is being done.

    Errors: `UsageError` for a profile of another model or a length far from its own; `Unmet` for a budget that no choice keeps,
    with the least that one takes.
    """
    if (model is None) != (batches is None):
        raise UsageError("whole plans are tried with model= and batches= together: found one of them")
    if model is not None:
        profile.refuse(model)
    tell = progress or (lambda text: None)
    case = Case.of(profile, budget, Machine(device_of(model), search.batch, search.fresh), tell)
    trial = None if model is None or batches is None else Trial(model, batches, profile.prefill, loss, search.tokens)
    return drawn_up(case, decided(case, trial, search, tell), trial, closed(profile.gates, search.gates))


def decided(case: Case, trial: Trial | None, search: Search, tell: Tell) -> Decision:
    """All full where that keeps within the limits; else the portfolio's choice, bettered by swaps where the budget is tight."""
    names = listed(case.profile, search)
    reference = FIRST if FIRST in names else names[0]
    full = case.units.choice(all_full(case.profile))
    if case.share >= 1.0:
        return Decision(full, reference, reference, 0.0, {}, ("the budget is not below what attention takes: nothing is left out",))
    least.check(case.problem(reference))
    found = choose(case, names, trial, tell)
    decision = Decision(found.choice, found.estimator, found.reference, found.solution.bound, found.joint)
    return swapped(case, decision, trial, search, tell) if trial is not None and case.share < TIGHT and search.swaps else decision


def swapped(case: Case, before: Decision, trial: Trial, search: Search, tell: Tell) -> Decision:
    """The choice after pair swaps."""
    tell(f"up to {search.swaps} swaps of pairs")
    joint = dict(before.joint or {})
    found = swap.search(
        case.problem(before.estimator),
        before.choice,
        joint[before.estimator],
        lambda choices: trial.joint([case.names(choice) for choice in choices]),
        swap.Effort(search.swaps, seconds=search.seconds),
    )
    note = f"{found.tried} swaps of pairs tried: joint loss {joint[before.estimator]:.4g}, then {found.joint:.4g}"
    joint[f"{before.estimator} and swaps"] = found.joint
    return Decision(found.choice, before.estimator, before.reference, before.bound, joint, (note,))


def listed(profile: Profile, search: Search) -> tuple[str, ...]:
    """The estimators to be tried."""
    wanted = tuple(profile.losses) if search.estimators is None else search.estimators
    for name in wanted:
        if name not in profile.losses:
            raise unknown("estimator", name, profile.losses)
    if not wanted:
        raise UsageError("a plan needs the losses of one estimator or more: found a profile without any")
    return wanted


def device_of(model: nn.Module | None) -> str:
    """Where a model is."""
    first = None if model is None else next(model.parameters(), None)
    return "cpu" if first is None else first.device.type
