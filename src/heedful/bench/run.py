"""A whole benchmark: the rows that were asked for, one after another, and what was measured beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from heedful.bench.contest import matrix_product, rate
from heedful.bench.figure import Figure
from heedful.bench.rows.row import Row
from heedful.bench.setting import Setting
from heedful.bench.table import ROWS
from heedful.cost.device import Fingerprint, fingerprint
from heedful.cost.measure import minima
from heedful.errors import HeedfulError, unknown

DTYPES = (torch.float32, torch.bfloat16)
CORRECTNESS = "correctness"


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found: the machine, its matrix product's operations a second, and the figures."""

    machine: Fingerprint
    rates: dict[str, float]
    figures: tuple[Figure, ...]
    quick: bool

    @property
    def missed(self) -> tuple[Figure, ...]:
        """The figures that do not reach their target."""
        return tuple(figure for figure in self.figures if figure.met is False)

    @property
    def wrong(self) -> tuple[Figure, ...]:
        """The rows that were not right, and so not timed."""
        return tuple(figure for figure in self.figures if figure.against == CORRECTNESS)

    def record(self) -> dict[str, Any]:
        """As plain data."""
        figures = [figure.record() for figure in self.figures]
        return {"machine": asdict(self.machine), "products": self.rates, "quick": self.quick, "figures": figures}


def chosen(names: Sequence[str]) -> tuple[Row, ...]:
    """The rows of these names; all of them if none is named."""
    known = [row.name for row in ROWS]
    for name in names:
        if name not in known:
            raise unknown("row", name, known)
    return tuple(row for row in ROWS if not names or row.name in names)


def bench(setting: Setting, names: Sequence[str] = (), tell: Callable[[str], None] = lambda text: None) -> Report:
    """Run the rows; `tell` hears of each figure as it comes."""
    found: list[Figure] = []
    for row in chosen(names):
        tell(f"{row.name}: {row.work}")
        for figure in served(row, setting):
            found.append(figure)
            tell(f"{row.name}: {figure.case}")
    return Report(fingerprint(setting.device), rates(setting, found), tuple(found), setting.quick)


def served(row: Row, setting: Setting) -> Iterator[Figure]:
    """A row's figures; what is refused or wrong is a figure too, a missed one."""
    try:
        yield from row.run(setting)
    except HeedfulError as problem:
        yield Figure(row.name, row.work, CORRECTNESS, None, note=str(problem))


def rates(setting: Setting, figures: Sequence[Figure]) -> dict[str, float]:
    """Operations a second of the matrix product in each dtype: the best of those in this run."""
    best: dict[str, float] = {}
    for dtype in DTYPES:
        product = matrix_product(dtype, 0, None, setting.device)
        (milliseconds,) = minima([product.run], setting.patience)
        seen = [rate(figure) for figure in figures if figure.against == product.name]
        best[product.name] = max([*seen, rate(Figure("", "", product.name, None, theirs=milliseconds))])
    return best
