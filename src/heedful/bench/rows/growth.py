"""A causal window of 256 keys over longer and longer texts: time and memory grow with the length and not with its square."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch

from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.memory import peak
from heedful.bench.problem import Problem, ours
from heedful.bench.rows.window import SIZE, causal_window
from heedful.bench.setting import Setting

LENGTHS = (8192, 32768, 131072)
GIB = 1024.0  # mebibytes


def growth(setting: Setting) -> Iterator[Figure]:
    """Time from each length to four times that, then memory."""
    lengths = setting.of(LENGTHS, LENGTHS[:2])
    for backward in (False, True):
        for short, long in pairwise(lengths):
            small, large = (Problem(n, mask=causal_window(SIZE), backward=backward, device=setting.device) for n in (short, long))
            less = ours(small, small.tensors(), setting.backend)
            more = ours(large, large.tensors(), setting.backend)
            rival = Rival(f"N = {short:,}", less, Goal(4.4, least=False), slower=True)
            yield from contest(setting, "growth", large.case, more, [rival], backward)
    if setting.device == "cpu":
        yield from memory(setting, lengths)


def memory(setting: Setting, lengths: tuple[int, ...]) -> Iterator[Figure]:
    """The peak of a whole process, and what comes on top of the inputs, from each length to the next."""
    for passes, most in (("forward", 2.0), ("backward", 3.0)):
        before: float | None = None
        for n in lengths:
            start, made, highest = peak(n, SIZE, passes, setting.backend, torch.get_num_threads())
            case = f"float32, N = {n:,}, {'forward' if passes == 'forward' else 'forward + backward'}"
            note = f"{made - start:,.0f} MiB of inputs, {highest - made:,.0f} on top, the process {start:,.0f}"
            yield Figure("growth", case, "peak of the process", highest / GIB, Goal(most, least=False), "GiB", note=note)
            if before is not None:
                grown = (highest - start) / before
                yield Figure("growth", case, f"memory at N = {n // 4:,}", grown, Goal(4.4, least=False))
            before = highest - start
