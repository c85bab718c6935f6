"""The best edition there is, as a mixed-integer program (HiGHS through scipy)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from heedful.diet.edition.greedy import greedy, told
from heedful.diet.edition.ledger import Ledger
from heedful.diet.edition.menu import Candidate, Diet, Edition, checked
from heedful.errors import HeedfulError, MissingExtra


def exact(candidates: Sequence[Candidate], diet: Diet, seconds: float = 30.0) -> Edition:
    """The edition of the highest total within the diet; floors that no candidates can fill are lowered to what greedy choice reaches.

    >>> read = [Candidate("long", 20.0, 30.0), Candidate("short", 5.0, 20.0), Candidate("shorter", 4.0, 10.0)]
    >>> exact(read, Diet(minutes=24.0)).keys
    ('shorter', 'long')

    Arguments:
        seconds: after which the best found so far is taken.

    Raises `UsageError` for candidates without minutes or named twice, `HeedfulError` where nothing was found in time.
    """
    try:
        from scipy.optimize import Bounds, LinearConstraint, milp
    except ImportError:
        raise MissingExtra("scipy", "diet", "choosing the best edition exactly") from None
    ledger = Ledger(diet, checked(candidates))
    if not candidates:
        return told(ledger)
    reached = greedy(candidates, diet)
    program = Program(ledger, set(reached.keys))
    rows = LinearConstraint(np.array(program.rows), np.array(program.low), np.array(program.high))
    found = milp(
        -np.array(program.worth),
        integrality=np.array(program.whole),
        bounds=Bounds(0, np.array(program.top)),
        constraints=rows,
        options={"time_limit": seconds},
    )
    if found.x is None:
        raise HeedfulError(f"no edition was found in {seconds:g} s ({found.message}): more seconds or greedy would work")
    for i in np.flatnonzero(found.x[: len(candidates)] > 0.5):
        ledger.take(int(i))
    return told(ledger)


class Program:
    """The program's columns: items, then two stretches of coverage a slope, then what stories repeat; and its rows."""

    def __init__(self, ledger: Ledger, reached: set[str]) -> None:
        items = ledger.candidates
        self.worth = [one.value - ledger.diet.worth * one.minutes for one in items]
        self.top = [1.0] * len(items)
        self.whole = [1] * len(items)
        self.parts: list[dict[int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []
        members: list[dict[int, float]] = [{} for _ in ledger.names]
        for i, groups in enumerate(ledger.groups):
            for g in groups:
                members[g][i] = items[i].minutes
        self.row({i: one.minutes for i, one in enumerate(items)}, high=ledger.diet.minutes)
        for g, inside in enumerate(members):
            had = sum(minutes for i, minutes in inside.items() if items[i].key in reached)
            self.row(inside, low=min(ledger.least[g], had), high=ledger.most[g])
            for slope in ledger.slopes[g]:
                self.cover(inside, slope.weight, slope.target / 2)
        for story in sorted({one.story for one in items if one.story is not None}):
            self.repeat([i for i, one in enumerate(items) if one.story == story], ledger.diet.redundancy)

    @property
    def rows(self) -> list[list[float]]:
        """The matrix."""
        return [[part.get(column, 0.0) for column in range(len(self.worth))] for part in self.parts]

    def row(self, part: dict[int, float], low: float = -np.inf, high: float = np.inf) -> None:
        """One more row."""
        self.parts.append(part)
        self.low.append(low)
        self.high.append(high)

    def column(self, worth: float, top: float) -> int:
        """One more column that need not be whole."""
        self.worth.append(worth)
        self.top.append(top)
        self.whole.append(0)
        return len(self.worth) - 1

    def cover(self, inside: dict[int, float], weight: float, half: float) -> None:
        """Covered minutes at full and at half weight, together no more than the group has."""
        stretches = (self.column(weight, half), self.column(weight / 2, half))
        self.row({**inside, **dict.fromkeys(stretches, -1.0)}, low=0.0)

    def repeat(self, told: list[int], cost: float) -> None:
        """How often a story is told again."""
        if len(told) > 1 and cost:
            again = self.column(-cost, float(len(told)))
            self.row({**dict.fromkeys(told, 1.0), again: -1.0}, high=1.0)
