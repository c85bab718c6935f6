"""One new token against a cache: against torch's SDPA, and a window of the cache against all of it."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.window import Window
from heedful.bench.accuracy import errors
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, ours, sdpa
from heedful.bench.setting import Setting

HELD, SIZE = 8192, 512


def decode(setting: Setting) -> Iterator[Figure]:
    """The same sizes whole or quick: a token is quick anyway."""
    for dtype in (torch.float32, torch.bfloat16):
        full = Problem(HELD, dtype, q=1, device=setting.device)
        windowed = Problem(HELD, dtype, Causal() & Window(SIZE), q=1, device=setting.device)
        for problem in (full, windowed):
            errors(problem, setting.backend)
        t = full.tensors()
        whole = ours(full, t, setting.backend)
        yield from contest(setting, "decode", full.case, whole, [Rival("torch SDPA", sdpa(full, t), Goal(1.0))])
        some = ours(windowed, t, setting.backend)
        yield from contest(setting, "decode", f"window {SIZE}, {full.case}", some, [Rival("the whole cache", whole, Goal(8.0))])
