"""Other block patterns, each by its rate per attended pair against a plain window's."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.masks.bigbird import BigBird
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window
from heedful.bench.accuracy import errors
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, ours
from heedful.bench.rows.window import SIZE, causal_window
from heedful.bench.setting import Setting


def patterns(setting: Setting) -> Iterator[Figure]:
    """Sinks and a window, BigBird, packed documents."""
    n = setting.of(8192, 4096)
    masks: tuple[tuple[str, Mask], ...] = (
        ("sinks 4 + window 512", Causal() & (Window(512) | Sinks(4))),
        ("BigBird, blocks of 64", BigBird(block=64)),
        ("packed documents, causal", Causal() & Documents(packed(n))),
    )
    plain = Problem(n, mask=causal_window(SIZE), device=setting.device)
    window = ours(plain, plain.tensors(), setting.backend)
    for name, mask in masks:
        problem = Problem(n, mask=mask, device=setting.device)
        errors(problem, setting.backend)
        work = problem.cost().operations / plain.cost().operations
        rival = Rival(f"window {SIZE}'s rate per pair", window, Goal(0.8), factor=work)
        case = f"{name}, {problem.case}"
        yield from contest(setting, "patterns", case, ours(problem, problem.tensors(), setting.backend), [rival])


def packed(n: int) -> torch.Tensor:
    """Documents of 100 to 1,000 tokens, drawn from a seed, one after another: ids (1, n)."""
    gen = torch.Generator().manual_seed(0)
    lengths = torch.randint(100, 1001, (n // 100 + 1,), generator=gen)
    return torch.arange(len(lengths)).repeat_interleave(lengths)[None, :n]
