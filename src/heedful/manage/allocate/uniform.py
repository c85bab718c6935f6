"""The uniform window: one size for every head, found to use the whole budget, though no profile has measured just that size."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
from jaxtyping import Float64

from heedful.manage.allocate.case import Case, Machine
from heedful.manage.allocate.decision import Decision, drawn_up
from heedful.manage.allocate.hull import Unmet
from heedful.manage.options.option import Option
from heedful.manage.options.streaming import Streaming
from heedful.manage.options.table import SINKS, windows
from heedful.manage.options.window import Window
from heedful.manage.plan import Plan
from heedful.manage.profile import Profile

LEAST = 4  # keys beside the sinks
TRIES = 8  # sizes that are priced
CLOSE = 0.02  # between a size that fits and one that does not


def uniform_window(case: Case, seed: int) -> Plan:
    """The largest window, with the usual sinks, that every head can have within the budget.

    `seed` is not used: nothing is drawn.
    """
    high = guess(case)
    best, low = fitting(case, high), LEAST - 1
    for _ in range(TRIES if best is None else 0):
        size = (low + high) // 2
        if high - low <= max(1, CLOSE * low):
            break
        found = fitting(case, size)
        if found is None:
            high = size
        else:
            best, low = found, size
    if best is None:
        raise Unmet(f"no window that every head has keeps within {case.budget}: a larger budget would work")
    return best


def fitting(case: Case, size: int) -> Plan | None:
    """The plan of one size, if it keeps within the budget."""
    tried = offering(case, [window(case, size)])
    choice = uniform(tried, tried.profile.options.index(window(case, size).name))
    if not tried.problem(next(iter(case.profile.losses))).feasible(choice):
        return None
    note = "losses of a size that was not profiled are those of the nearest sizes, interpolated"
    return drawn_up(tried, Decision(choice, "uniform_window", reference(case), notes=(note,)))


def reference(case: Case) -> str:
    """The estimator whose losses are reported."""
    return "fisher" if "fisher" in case.profile.losses else next(iter(case.profile.losses))


def window(case: Case, size: int) -> Option:
    """The window of a size that the profile's phase knows."""
    return Streaming(size, SINKS) if case.profile.phase == "decode" else Window(size, SINKS)


def guess(case: Case) -> int:
    """The size whose cost, between those of the usual sizes, is the tightest limit's."""
    ladder = [option for option in windows(case.length) if option.kept(case.length) > SINKS + LEAST]
    sizes = sorted({option.kept(case.length) - SINKS for option in ladder})
    tried = offering(case, [window(case, size) for size in sizes])
    costs = [asdict(tried.spend(uniform(tried, tried.profile.options.index(window(case, size).name)))) for size in sizes]
    sizes, costs = [0, *sizes, case.length], [dict.fromkeys(costs[0], 0.0), *costs, asdict(case.dense)]
    found = [float(np.interp(limit, [cost[name] for cost in costs], sizes)) for name, limit in case.limits.items()]
    return max(LEAST, min(int(min(found)), case.length - SINKS - 1))


def uniform(case: Case, option: int) -> Float64[np.ndarray, " units"]:
    """The option for every unit that may have it, all attention for the others."""
    full = case.profile.options.index("full")
    return np.where(case.units.allowed[:, option], option, full)


def offering(case: Case, options: list[Option]) -> Case:
    """The same case with these options among the profile's."""
    new = [option for option in options if option.name not in case.profile.options]
    if not new:
        return case
    return Case.of(extended(case.profile, new, case.length), case.budget, Machine(case.prices.setting.device, case.prices.setting.batch))


def extended(profile: Profile, options: list[Option], length: int) -> Profile:
    """A profile with windows it did not try, their losses between those of its sizes."""
    known = [number for number, option in enumerate(profile.parsed) if option.word in ("full", "drop", options[0].word)]
    known.sort(key=lambda number: profile.parsed[number].kept(length))
    kept = np.log1p([profile.parsed[number].kept(length) for number in known])
    losses = {}
    for name, table in profile.losses.items():
        more = [[np.interp(np.log1p(option.kept(length)), kept, line[known]) for option in options] for line in table]
        losses[name] = np.concatenate([table, np.array(more)], axis=1)
    return replace(profile, options=(*profile.options, *(option.name for option in options)), losses=losses, interactions=())
