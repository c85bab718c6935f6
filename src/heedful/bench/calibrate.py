"""Measuring the backends over a grid of sizes, so that their times can be predicted on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from heedful.attention.backends.load import load_of
from heedful.attention.backends.table import BACKENDS
from heedful.attention.call import Call
from heedful.attention.masks.causal import Causal
from heedful.attention.resolve import resolve
from heedful.bench.problem import Problem, ours, short
from heedful.bench.rows.window import causal_window
from heedful.cost.device import fingerprint
from heedful.cost.measure import Patience, minima
from heedful.cost.model import Model, Point, fitted
from heedful.cost.rates import Key
from heedful.cost.table import save

LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096)
SPARSE = 8192
MANY = (  # length, heads of all texts, width: short texts, many at a time, as small models train on
    (64, 48, 32),
    (64, 256, 64),
    (128, 128, 64),
    (256, 64, 64),
)
HELD = (256, 1024, 4096, 16384)
MATRIX = 1 << 23  # pairs, over heads, up to which the whole matrix is made
TABLE = 1 << 25  # and up to which a kernel that computes them all is measured under a mask that leaves most out
WIDE = 1 << 26  # and up to which widths and heads are varied
DOUBT = 1.25  # times what is likely
PATIENCE = Patience(seconds=0.03, rounds=2, most=20)
TIMES = 2  # over the whole grid


@dataclass(frozen=True, slots=True)
class Measured:
    """What was written, and how many measurements are in it."""

    path: Path
    points: int


def measure(*, device: str = "cpu", quick: bool = False, tell: Callable[[str], None] = lambda text: None) -> Measured:
    """Measure every backend over a grid of lengths, widths, heads, masks and precisions, forward and with gradients, and keep it.

    About three minutes on two cores; `quick` leaves out the larger sizes. From then on `predict_cost`, `why` and the choice of
    `auto` go by it, for as many threads as torch uses now. `tell` hears what is being measured.
    """
    works = [Work(problem, {}) for problem in grid(device, quick)]
    for _ in range(TIMES):  # minutes apart: what disturbs the one finds the other at rest
        for work in works:
            work.measure(tell)
    for work in doubtful(works):
        work.measure(tell)
    found = gathered(works)
    path = save(found, fingerprint(device))
    return Measured(path, sum(map(len, found.values())))


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """One place of the grid, and what was measured there."""

    problem: Problem
    points: dict[Key, Point]

    def measure(self, tell: Callable[[str], None]) -> None:
        """Measure it, and keep the lesser of each time and that of before."""
        tell(self.problem.case)
        for key, point in points(self.problem):
            self.points[key] = min(point, self.points.get(key, point), key=lambda each: each.milliseconds)


def gathered(works: Sequence[Work]) -> dict[Key, tuple[Point, ...]]:
    """The measurements by kernel, dtype and pass."""
    found: dict[Key, list[Point]] = {}
    for work in works:
        for key, point in work.points.items():
            found.setdefault(key, []).append(point)
    return {key: tuple(some) for key, some in found.items()}


def doubtful(works: Sequence[Work]) -> list[Work]:
    """The works where something took much longer than what was measured elsewhere makes likely: it may have been disturbed."""
    models = {key: fitted(some) for key, some in gathered(works).items()}
    plain = {key: Model(model.rates) for key, model in models.items()}
    return [
        work
        for work in works
        if any(point.milliseconds > DOUBT * plain[key].milliseconds(point.sizes) for key, point in work.points.items())
    ]


def points(problem: Problem) -> Iterator[tuple[Key, Point]]:
    """A measurement for each backend that can serve the work and is worth its time on it."""
    t = problem.tensors()
    call = resolve(t.q, t.k, t.v, {"mask": problem.mask})
    names = [row.name for row in BACKENDS if row.why_not(call) is None and worth(row.name, call)]
    with torch.set_grad_enabled(problem.backward):
        loads = [load_of(name, call) for name in names]
        times = minima([ours(problem, t, name) for name in names], PATIENCE)
    for load, time in zip(loads, times, strict=True):
        if load is not None and load.pieces == 1:
            yield (load.kernel, short(problem.dtype), problem.backward), Point(load.timed, time)


def worth(name: str, call: Call) -> bool:
    """Whether a backend is measured here: one row for each kernel, no matrix of gigabytes, no seconds on what others leave out."""
    b, h, q, k = call.sizes
    pairs = b * h * q * k
    if name == "naive":
        return pairs <= MATRIX
    dense = name == "sdpa" and call.mask is not None and not isinstance(call.mask, Causal)
    if name == "flex" and not call.q.is_cuda:  # a form for checks
        return False
    return name not in ("varlen", "banded") and not (dense and pairs > TABLE)


def grid(device: str, quick: bool) -> Iterator[Problem]:
    """The works."""
    lengths = LENGTHS[:-2] if quick else LENGTHS
    for dtype in (torch.float32, torch.bfloat16):
        for backward in (False, True):
            start = Problem(1, dtype, backward=backward, device=device)
            for mask in (None, Causal()):
                yield from (replace(start, n=n, mask=mask) for n in lengths)
                yield from (one for n in lengths[1::2] for one in around(replace(start, n=n, mask=mask)))
            yield from windows(start, quick)
            for n, heads, width in MANY:
                yield from (replace(start, n=n, heads=heads, width=width, mask=mask) for mask in (None, Causal()))
        yield from steps(Problem(1, dtype, q=1, device=device))


def around(start: Problem) -> Iterator[Problem]:
    """Narrower and wider heads, one head, and more of them."""
    yield from (replace(start, width=width) for width in (32, 128))
    yield from (replace(start, heads=heads) for heads in (1, 32) if heads * start.n**2 <= WIDE or start.q is not None)


def windows(start: Problem, quick: bool) -> Iterator[Problem]:
    """Windows of several sizes and lengths."""
    yield from (replace(start, n=n, mask=causal_window(256)) for n in (512, 1024, 2048, *(() if quick else (4096, SPARSE))))
    yield from (replace(start, n=n, mask=causal_window(size)) for n in (1024, 4096) for size in (64, 1024))
    yield from around(replace(start, n=2048, mask=causal_window(256)))


def steps(start: Problem) -> Iterator[Problem]:
    """One query against many keys."""
    yield from (replace(start, n=n) for n in HELD)
    yield from (replace(start, n=n, q=4) for n in HELD[::2])
    yield from (replace(start, n=n, mask=causal_window(size)) for n in HELD[2:] for size in (128, 512))
    yield from around(replace(start, n=HELD[2]))
