"""The choice that `auto` makes, against every backend that could have served: never much slower than the best."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.masks.causal import Causal
from heedful.attention.why import why
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, ours
from heedful.bench.rows.window import SIZE, causal_window
from heedful.bench.setting import Setting


def choice(setting: Setting) -> Iterator[Figure]:
    """A grid of works; one figure each, against the fastest."""
    for problem in grid(setting):
        t = problem.tensors()
        mask = problem.mask
        able = [word.backend for word in why(t.q, t.k, t.v, mask=mask) if word.reason is None and worth(word.backend, problem)]
        taken = next(word.backend for word in why(t.q, t.k, t.v, mask=mask) if word.chosen)
        rivals = [Rival(name, ours(problem, t, name)) for name in able]
        case = f"{'no mask' if mask is None else mask}, {problem.case}"
        figures = list(contest(setting, "choice", case, ours(problem, t), rivals, problem.backward))
        best = min(figures, key=lambda figure: figure.theirs or 0.0)
        assert best.ours is not None
        assert best.theirs is not None
        note = f"took {taken}; " + ", ".join(f"{figure.against} {figure.theirs:.2f} ms" for figure in figures)
        value = best.ours / best.theirs
        yield Figure(
            "choice", case, f"best ({best.against})", value, Goal(1.05, least=False), ours=best.ours, theirs=best.theirs, note=note
        )


def grid(setting: Setting) -> Iterator[Problem]:
    """Lengths, masks, precisions and passes; and one token against a cache."""
    for n in setting.of((128, 1024, 4096), (128, 1024)):
        for mask in (None, Causal(), causal_window(SIZE)):
            for dtype in (torch.float32, torch.bfloat16):
                for backward in (False, True):
                    yield Problem(n, dtype, mask, backward, device=setting.device)
    for dtype in (torch.float32, torch.bfloat16):
        for mask in (None, causal_window(512)):
            yield Problem(8192, dtype, mask, q=1, device=setting.device)


def worth(backend: str, problem: Problem) -> bool:
    """Whether a backend is worth its time here: the unfused forms of a large work take seconds and gigabytes."""
    return backend not in ("naive", "flex") or problem.device != "cpu" or (problem.q or problem.n) * problem.n <= 1 << 20
