"""`heedful.frontier`: quality against milliseconds of plans, and of what they must be better than."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Final

from torch import nn

from heedful.manage.allocate.case import Case
from heedful.manage.frontier.frontier import Frontier, Point, marked
from heedful.manage.frontier.ladder import Ladder
from heedful.manage.frontier.measured import quality, times
from heedful.manage.frontier.rungs import Rung, Source, rungs, widest
from heedful.manage.objective import Batch, Loss
from heedful.manage.planning import Search
from heedful.manage.profile import Profile
from heedful.manage.still import still
from heedful.manage.verify.judge import Judged
from heedful.manage.verify.parts import Parts, refuse

PLAIN: Final = Ladder()
SEARCH: Final = Search()
REFERENCE: Final = "fisher"
Clock = tuple[float | None, Sequence[float | None]]  # of the dense model, and of every rung


def silent(said: str) -> None:
    """Nobody listens."""


def frontier(
    model: nn.Module,
    profile: Profile,
    batches: Iterable[Batch],
    *,
    calibrate: Iterable[Batch] | None = None,
    loss: Loss | None = None,
    ladder: Ladder = PLAIN,
    search: Search = SEARCH,
    name: str = "",
    tell: Callable[[str], None] = silent,
) -> Frontier:
    """Plans and controls at every budget of the ladder, judged on `batches` that nothing was chosen on, and timed in turns.

    Arguments:
        profile: of the model; its phase and length are the frontier's.
        calibrate: batches on which whole plans are tried, as `heedful.plan` does; by their losses alone without.
        loss: as the profile's. search: how long each plan is looked for. name: what the model is called.
        tell: hears what is being done.

    Raises `UsageError` for a profile of another model and for sequences that a plan was made on.
    """
    profile.refuse(model)
    test = tuple(batches)
    source = Source(model, profile, None if calibrate is None else list(calibrate), loss, search)
    with still(model):
        made, notes = rungs(source, ladder, tell)
        for rung in made:
            refuse(rung.plan, Parts((), test))
        plans = [rung.plan for rung in made]
        found = quality(model, plans, test, profile.prefill, loss, ladder, tell)
        dense, clock = times(model, plans, test, ladder.timed, tell)
    return drawn(widest(source, made), made, found, (dense, clock), name or profile.name, notes)


def drawn(case: Case, made: Sequence[Rung], found: Sequence[Judged], clock: Clock, name: str, notes: Sequence[str]) -> Frontier:
    """What was found, as it is shown."""
    profile, resource = case.profile, made[0].resource
    points = [point(case, *one) for one in zip(made, found, clock[1], strict=True)]
    prices = [[case.prices.of(site, option) for option in profile.options] for site in profile.sites]
    estimator = REFERENCE if REFERENCE in profile.losses else next(iter(profile.losses))
    return Frontier(
        name=name,
        model=profile.model,
        machine=made[0].plan.machine,
        dtype=profile.dtype,
        length=made[0].plan.length,
        phase=profile.phase,
        resource=resource,
        sites=profile.sites,
        options=profile.options,
        losses=tuple(map(tuple, profile.losses[estimator].tolist())),
        milliseconds=tuple(tuple(price.head for price in prices[site]) for site, _ in profile.heads),
        openings=tuple(tuple(price.group for price in row) for row in prices),
        estimator=estimator,
        nats=found[0].dense,
        spent=asdict(case.dense)[resource],
        predicted=case.dense.milliseconds,
        measured=clock[0],
        bytes=case.dense.bytes,
        unit=found[0].unit,
        points=marked(points),
        notes=(*notes, *said(found)),
    )


def point(case: Case, rung: Rung, found: Judged, measured: float | None) -> Point:
    """One rung with its figures."""
    choices = tuple(case.profile.options.index(name) for row in rung.plan.choices for name in row)
    return Point(
        policy=rung.policy,
        budget=rung.budget,
        spent=asdict(rung.plan.predicted)[rung.resource],
        predicted=rung.plan.predicted.milliseconds,
        measured=measured,
        loss=found.bound.mean,
        upper=found.bound.upper,
        kl=found.kl or 0.0,
        agreement=1.0 if found.agreement is None else found.agreement,
        bytes=rung.plan.predicted.bytes,
        choices=choices,
    )


def said(found: Sequence[Judged]) -> list[str]:
    """What a reader should know of the bounds."""
    number = found[0].bound.blocks
    return [f"The bounds rest on {number} blocks: with fewer than 20 they lean on each of them."] if found[0].bound.few else []
