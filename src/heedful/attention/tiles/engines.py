"""The table of engines, in the order in which they are preferred: the choice of one stands here and nowhere else."""

from __future__ import annotations

from heedful.attention.native import backward as native_backward
from heedful.attention.native import forward as native
from heedful.attention.tiles.backward import backward
from heedful.attention.tiles.engine import Engine
from heedful.attention.tiles.forward import forward
from heedful.attention.tiles.work import Wanted, Work


def anything(work: Work, wanted: Wanted) -> str | None:
    """The torch engine does all work there is."""
    return None


ENGINES: tuple[Engine, ...] = (
    Engine("native", native.why_not, native.forward, native_backward.backward),
    Engine("torch", anything, forward, backward),
)


def engine(work: Work, wanted: Wanted) -> Engine:
    """The first engine that can do the work."""
    return next(row for row in ENGINES if row.why_not(work, wanted) is None)
