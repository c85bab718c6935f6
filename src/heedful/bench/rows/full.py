"""Full attention in bfloat16; full and causal attention in float32: against torch's SDPA and against the matrix product."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.masks.causal import Causal
from heedful.bench.accuracy import errors
from heedful.bench.contest import Rival, contest, matrix_product
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, ours, sdpa
from heedful.bench.setting import Setting

LENGTHS = (1024, 4096, 8192)


def half(setting: Setting) -> Iterator[Figure]:
    """bfloat16, no mask."""
    for n in setting.of(LENGTHS, LENGTHS[:2]):
        for backward in (False, True):
            problem = Problem(n, torch.bfloat16, backward=backward, device=setting.device)
            ratio = errors(problem, setting.backend).ratio
            if not backward:
                yield Figure("full-bf16", problem.case, "torch SDPA's error", ratio, Goal(2.0, least=False))
            yield from against_sdpa(setting, "full-bf16", problem, Goal(1.5 if backward else 2.0), None if backward else Goal(0.45))


def single(setting: Setting) -> Iterator[Figure]:
    """float32, without a mask and causal."""
    for name, mask in (("full-f32", None), ("causal-f32", Causal())):
        for n in setting.of(LENGTHS, LENGTHS[:1]):
            for backward in (False, True):
                problem = Problem(n, mask=mask, backward=backward, device=setting.device)
                errors(problem, setting.backend)
                yield from against_sdpa(setting, name, problem, Goal(1.0), None)


def against_sdpa(setting: Setting, row: str, problem: Problem, goal: Goal, share: Goal | None) -> Iterator[Figure]:
    """Both ratios of one piece of work."""
    t = problem.tensors()
    rivals = [
        Rival("torch SDPA", sdpa(problem, t), goal),
        matrix_product(problem.dtype, problem.cost().operations, share, problem.device),
    ]
    yield from contest(setting, row, problem.case, ours(problem, t, setting.backend), rivals, problem.backward)
