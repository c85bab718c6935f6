"""What a plan has to beat at equal predicted cost: policies that know less of the heads, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from heedful.errors import unknown
from heedful.manage.allocate import least
from heedful.manage.allocate.case import Case, Choice
from heedful.manage.allocate.decision import Decision, drawn_up
from heedful.manage.allocate.fill import filled
from heedful.manage.allocate.hull import Unmet
from heedful.manage.allocate.problem import Problem
from heedful.manage.allocate.solve import solve
from heedful.manage.allocate.uniform import reference, uniform_window
from heedful.manage.plan import Plan

RECENT = 256  # DuoAttention's streaming heads keep about so many keys
Allowed = Bool[np.ndarray, "units options"]


@dataclass(frozen=True, slots=True)
class Control:
    """A policy: what it is, where it is from, and the plan it makes of a case; `seed` is for what is drawn."""

    name: str
    meaning: str
    source: str
    plan: Callable[[Case, int], Plan]


def random(case: Case, seed: int) -> Plan:
    """Options drawn for each head from three drawn for each layer, made cheaper at random until they fit, then dearer."""
    drawn, problem = np.random.default_rng(seed), case.problem(reference(case))
    least.check(problem)
    noise = drawn.random(problem.losses.shape)
    allowed = np.zeros(problem.losses.shape, dtype=bool)
    for members in problem.members:
        allowed[members] = three(problem, members, drawn)
    choice = np.where(allowed, noise, -1.0).argmax(1)
    for unit in drawn.permutation(np.repeat(np.arange(len(choice)), problem.losses.shape[1])):
        if problem.feasible(choice):
            break
        choice[unit] = cheaper(problem, choice, int(unit), allowed)
    if not problem.feasible(choice):
        choice = solve(problem).choice
    order = -np.argsort(np.argsort(cost_of(problem), axis=1), axis=1) * drawn.random((len(choice), 1))
    choice = filled(replace(problem, losses=order, allowed=allowed), choice)
    return drawn_up(case, Decision(choice, "random", reference(case), notes=(f"options drawn with seed {seed}",)))


def dropped_mass(case: Case, seed: int) -> Plan:
    """The knapsack under the weight that options take away."""
    return by(case, "dropped_mass", "dropped_mass")


def michel(case: Case, seed: int) -> Plan:
    """Whole heads pruned, those of the least gradient first."""
    kept = np.array([option.drops or option.word == "full" for option in case.profile.parsed])
    return by(case, "michel", "michel", np.broadcast_to(kept, case.problem("michel").losses.shape))


def duo_attention(case: Case, seed: int) -> Plan:
    """Two classes: full, and streaming for the heads whose output changes least by it; the largest streaming cache of about 256
    keys with which the budget can be met."""
    parsed, length = case.profile.parsed, case.length
    streaming = [number for number, option in enumerate(parsed) if option.word in ("window", "streaming") and option.kept(length) < length]
    streaming.sort(key=lambda number: (parsed[number].kept(length) > 2 * RECENT, -parsed[number].kept(length)))
    full = [number for number, option in enumerate(parsed) if option.word == "full"]
    problem = case.problem("output_error")
    for number in streaming:
        allowed = np.zeros(problem.losses.shape, dtype=bool)
        allowed[:, [*full, number]] = True
        try:
            return by(case, "output_error", "duo_attention", allowed)
        except Unmet:
            continue
    raise Unmet(f"no two classes of heads, full and streaming, keep within {case.budget}: a larger budget would work")


CONTROLS: tuple[Control, ...] = (
    Control("uniform_window", "the same window for every head, as large as fits", "Beltagy 2020, arXiv 2004.05150", uniform_window),
    Control("random", "options drawn at random", "Budhraja 2020, aclanthology 2020.emnlp-main.260", random),
    Control("dropped_mass", "the weight that is taken away, in a knapsack", "by definition", dropped_mass),
    Control("michel", "heads pruned by their gradient", "Michel 2019, arXiv 1905.10650", michel),
    Control("duo_attention", "retrieval heads full, the others streaming", "Xiao 2024, arXiv 2410.10819", duo_attention),
)


def control(name: str, case: Case, seed: int = 0) -> Plan:
    """The plan of a control, by its name in `CONTROLS`; `Unmet` where it cannot keep within the budget."""
    rows: Mapping[str, Control] = {row.name: row for row in CONTROLS}
    if name not in rows:
        raise unknown("control", name, rows)
    return rows[name].plan(case, seed)


def by(case: Case, estimator: str, name: str, allowed: Allowed | None = None) -> Plan:
    """The knapsack under one estimator's losses, with only some options."""
    problem = case.problem(estimator)
    if allowed is not None:
        both = problem.permitted & allowed
        problem = replace(problem, allowed=np.where(both.any(1)[:, None], both, problem.permitted))
    least.check(problem)
    return drawn_up(case, Decision(solve(problem).choice, name, reference(case)))


def three(problem: Problem, members: Choice, drawn: np.random.Generator) -> Allowed:
    """Three options of a layer, the cheapest among them so that any budget can be met."""
    permitted: Allowed = problem.permitted[members]
    common = np.flatnonzero(permitted.all(0))
    if not len(common):
        return permitted
    cheapest = common[cost_of(problem)[members][:, common].sum(0).argmin()]
    others = drawn.permutation(common[common != cheapest])[: problem.most - 1]
    chosen = np.zeros(permitted.shape, dtype=bool)
    chosen[:, [cheapest, *others]] = True
    return chosen


def cheaper(problem: Problem, choice: Choice, unit: int, allowed: Allowed) -> int:
    """The next cheaper option of a unit; its own where it has the cheapest."""
    costs = cost_of(problem)[unit]
    below = [option for option in np.flatnonzero(allowed[unit]) if costs[option] < costs[choice[unit]]]
    return int(max(below, key=lambda option: costs[option])) if below else int(choice[unit])


def cost_of(problem: Problem) -> Float64[np.ndarray, "units options"]:
    """What options cost by the first bounded resource."""
    row = next(iter(problem.rows.values()))
    return row.costs
