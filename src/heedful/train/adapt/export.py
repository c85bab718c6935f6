"""Learned gates as plans: the heads that a budget closes are dropped, priced as any plan is."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from heedful.errors import UsageError
from heedful.manage.allocate.units import spend
from heedful.manage.objective import model_hash
from heedful.manage.options.table import parse
from heedful.manage.plan import DROP, FULL, Plan
from heedful.manage.prices.prices import prices
from heedful.manage.prices.work import Setting
from heedful.manage.watch import sites
from heedful.spec.budget import Budget


def exported(
    model: nn.Module, choices: Sequence[Sequence[str]], share: float, length: int, loss: float = 0.0, calibrated: Sequence[str] = ()
) -> Plan:
    """The plan of some choices between full and drop for `model`, whose budget is a share of the heads.

    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = build(DecoderSpec(vocabulary=11, layers=1, width=16, heads=4))
    >>> made = exported(model, [("full", "drop", "full", "drop")], 0.5, length=16)
    >>> made.predicted.operations / made.dense.operations, made.options
    (0.5, {'full': 2, 'drop': 2})
    """
    known = {name for row in choices for name in row}
    if known - {FULL, DROP}:
        raise UsageError(f"gates leave heads open or shut: found {', '.join(sorted(known - {FULL, DROP}))}")
    places = sites(model)
    some = next(model.parameters())
    costs = prices(places, [parse(FULL), parse(DROP)], Setting(length=length, dtype=some.dtype, device=some.device.type))
    names = tuple(map(tuple, choices))
    reasons = tuple(tuple(f"its gate is {'open' if name == FULL else 'shut'} at {share:.0%}" for name in row) for row in choices)
    return Plan(
        model=model_hash(model),
        machine=str(costs.machine),
        budget=Budget(operations=share, length=length),
        sites=places,
        choices=names,
        reasons=reasons,
        predicted=spend(places, names, costs),
        dense=spend(places, tuple((FULL,) * site.heads for site in places), costs),
        loss=loss,
        bound=None,
        estimator="budget gates",
        joint={},
        calibrated=tuple(calibrated),
        dtype=str(some.dtype).removeprefix("torch."),
        notes=("heads by gates learnt for every budget",),
    )
