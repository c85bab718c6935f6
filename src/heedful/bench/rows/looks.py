"""Seeing where attention went: weights of two heads, and the streamed summaries, against the time without."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.attend import attend
from heedful.attention.select import Select
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, Tensors, ours
from heedful.bench.setting import Setting
from heedful.cost.measure import Run
from heedful.errors import HeedfulError

STREAMED = ("entropy", "distance", "sinks", "columns", "lse")
HEADS = (0, 5)


def looks(setting: Setting) -> Iterator[Figure]:
    """Full attention, forward."""
    for dtype in (torch.float32, torch.bfloat16):
        problem = Problem(setting.of(4096, 1024), dtype, device=setting.device)
        check(setting, dtype)
        t = problem.tensors()
        without = ours(problem, t, setting.backend)
        for name, run, bound in (
            ("weights of 2 heads", weights(setting, t), 1.5),
            (" ".join(STREAMED), summaries(setting, t, STREAMED), 1.5),
            ("topk", summaries(setting, t, ("topk",)), 2.0),
        ):
            rival = Rival("without", without, Goal(bound, least=False), slower=True)
            yield from contest(setting, "looks", f"{name}, {problem.case}", run, [rival])


def weights(setting: Setting, t: Tensors) -> Run:
    """The output and the weights of two heads."""
    return lambda: attend(t.q, t.k, t.v, return_weights=Select(heads=HEADS), backend=setting.backend)


def summaries(setting: Setting, t: Tensors, names: tuple[str, ...]) -> Run:
    """The output and summaries."""
    return lambda: attend(t.q, t.k, t.v, summaries=names, backend=setting.backend)


def check(setting: Setting, dtype: torch.dtype) -> None:
    """What is returned is what the naive backend returns, at a small size, up to the precision."""
    t = Problem(200, dtype, device=setting.device).tensors()
    (_, seen), (_, slow) = (
        attend(t.q, t.k, t.v, return_weights=Select(heads=HEADS), backend=backend) for backend in (setting.backend, "naive")
    )
    (_, found), (_, right) = (attend(t.q, t.k, t.v, summaries=STREAMED, backend=backend) for backend in (setting.backend, "naive"))
    pairs = [("weights", seen, slow), ("entropy", found.entropy, right.entropy), ("distance", found.distance, right.distance)]
    pairs += [("sinks", found.sinks, right.sinks), ("columns", found.columns, right.columns), ("lse", found.lse, right.lse)]
    for name, mine, other in pairs:
        assert mine is not None
        assert other is not None
        if not torch.allclose(mine.double(), other.double(), rtol=0.02 if dtype == torch.bfloat16 else 1e-4, atol=1e-3):
            raise HeedfulError(f"{name} in {dtype}: other numbers than the naive backend's; it is not timed")
