"""A contest: our run against its rivals, taking turns in one run, and the ratios that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from heedful.bench.figure import Figure, Goal
from heedful.bench.setting import Setting
from heedful.cost.formulas import product
from heedful.cost.measure import Run, minima

SIDE = 2048  # of the square matrices whose product gives the machine's rate


@dataclass(frozen=True, slots=True)
class Rival:
    """What we are measured against.

    The figure is `factor` times its time over ours (how much faster we are, for the work that `factor` stands for), or
    with `slower` our time over its.
    """

    name: str
    run: Run
    goal: Goal | None = None
    factor: float = 1.0
    slower: bool = False
    unit: str = "x"

    def figure(self, row: str, case: str, ours: float, theirs: float) -> Figure:
        """The line of the table."""
        value = ours / theirs if self.slower else self.factor * theirs / ours
        return Figure(row, case, self.name, value, self.goal, self.unit, ours, theirs)


def contest(setting: Setting, row: str, case: str, ours: Run, rivals: Sequence[Rival], backward: bool = False) -> Iterator[Figure]:
    """A figure for each rival, all timed in turns."""
    with torch.set_grad_enabled(backward):
        mine, *others = minima([ours, *(rival.run for rival in rivals)], setting.patience)
    for rival, theirs in zip(rivals, others, strict=True):
        yield rival.figure(row, case, mine, theirs)


def matrix_product(dtype: torch.dtype, operations: int, goal: Goal | None, device: str = "cpu") -> Rival:
    """The rate of a large matrix product as a rival: the figure is our operations a second as a share of its."""
    a, b = (torch.randn(SIDE, SIDE, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    share = operations / product(SIDE, SIDE, SIDE).operations
    return Rival(f"{str(dtype).removeprefix('torch.')} matrix product", lambda: torch.mm(a, b, out=out), goal, factor=share, unit="rate")


def rate(figure: Figure) -> float:
    """Operations a second of the matrix product that a figure was measured against."""
    assert figure.theirs is not None
    return 1e3 * product(SIDE, SIDE, SIDE).operations / figure.theirs
