"""Why each head has its option: what it loses and saves, and what the next dearer and the next cheaper one would do. One line each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64

from heedful.manage.allocate.problem import Problem
from heedful.manage.allocate.units import Units
from heedful.manage.plan import FULL

UNITS: Mapping[str, tuple[float, str]] = {"milliseconds": (1.0, "ms"), "operations": (1e-6, "M operations"), "bytes": (2.0**-10, "KiB")}


def reasons(units: Units, problem: Problem, choice: Int64[np.ndarray, " units"], unit: str) -> tuple[tuple[str, ...], ...]:
    """A line for each site and query head, by the first bounded resource; `unit` is that of the losses."""
    lines = {row: why(units, problem, choice, number, unit) for number, group in enumerate(units.rows) for row in group}
    every = iter(lines[row] for row in range(len(lines)))
    return tuple(tuple(next(every) for _ in range(site.heads)) for site in units.profile.sites)


def why(units: Units, problem: Problem, choice: Int64[np.ndarray, " units"], number: int, unit: str) -> str:
    """The line of one unit."""
    resource, row = next(iter(problem.rows.items()))
    names, chosen = units.profile.options, int(choice[number])
    costs, losses = row.costs[number], problem.losses[number]
    whole = costs[names.index(FULL)]
    less, of = amount(resource, whole - costs[chosen]), amount(resource, whole)
    text = f"{names[chosen]}: loses {losses[chosen]:.3g} {unit}, saves {less} of {of}"
    permitted = np.flatnonzero(problem.permitted[number])
    dearer = [option for option in permitted if costs[option] > costs[chosen] and losses[option] < losses[chosen]]
    cheaper = [option for option in permitted if costs[option] < costs[chosen]]
    if dearer:
        step = min(dearer, key=lambda option: costs[option])
        more = amount(resource, costs[step] - costs[chosen])
        text += f"; {names[step]} would lose {losses[chosen] - losses[step]:.3g} less for {more} more"
    if cheaper:
        step = max(cheaper, key=lambda option: (costs[option], -losses[option]))
        less = amount(resource, costs[chosen] - costs[step])
        text += f"; {names[step]} would lose {losses[step] - losses[chosen]:.3g} more and save {less} more"
    return text


def amount(resource: str, number: float) -> str:
    """A quantity as it is read.

    >>> amount("milliseconds", 3.14159), amount("bytes", 2048), amount("operations", 5e6)
    ('3.14 ms', '2 KiB', '5 M operations')
    """
    scale, unit = UNITS[resource]
    return f"{number * scale:.3g} {unit}"
