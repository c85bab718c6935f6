"""Predicted milliseconds against those then measured, at sizes inside the grid that were not measured themselves."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.backends.load import load_of
from heedful.attention.backends.table import BACKENDS
from heedful.attention.masks.causal import Causal
from heedful.attention.resolve import resolve
from heedful.bench.calibrate import worth
from heedful.bench.figure import Figure, Goal, absent
from heedful.bench.problem import Problem, ours
from heedful.bench.rows.window import causal_window
from heedful.bench.setting import Setting
from heedful.cost.measure import minima
from heedful.cost.table import current


def predictions(setting: Setting) -> Iterator[Figure]:
    """Every backend that can serve, on works between the measured ones."""
    if not current(setting.device).points:
        yield absent("predictions", "every backend", "predicted time", "this machine was not measured: heedful bench --measure")
        return
    for problem in between(setting):
        yield from compared(setting, problem)


def compared(setting: Setting, problem: Problem) -> Iterator[Figure]:
    """Each backend's measured time over the predicted one, or the other way round: whichever is above one."""
    t = problem.tensors()
    call = resolve(t.q, t.k, t.v, {"mask": problem.mask})
    names = [row.name for row in BACKENDS if row.why_not(call) is None and worth(row.name, call)]
    with torch.set_grad_enabled(problem.backward):
        loads = [load_of(name, call) for name in names]
        times = minima([ours(problem, t, name) for name in names], setting.patience)
    mask = "no mask" if problem.mask is None else str(problem.mask)
    case = f"{mask}, {problem.case}, {problem.heads} heads, width {problem.width}"
    for name, load, time in zip(names, loads, times, strict=True):
        expected = None if load is None else current(setting.device).milliseconds(load)
        if expected:
            off = max(time / expected, expected / time)
            yield Figure("predictions", case, f"{name}, predicted", off, Goal(1.2, least=False), ours=time, theirs=expected)


def between(setting: Setting) -> Iterator[Problem]:
    """Works between those of the grid."""
    for dtype in (torch.float32, torch.bfloat16):
        for backward in (False, True):
            for n, heads, width in setting.of(((96, 8, 64), (400, 6, 48), (700, 12, 64), (1500, 8, 96), (3000, 8, 64)), ((400, 6, 48),)):
                for mask in (None, Causal(), causal_window(200)):
                    yield Problem(n, dtype, mask, backward, heads=heads, width=width, device=setting.device)
        yield Problem(3000, dtype, q=1, device=setting.device)
