"""ALiBi and T5's relative bias, its gradient too: the time with against the time without."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.alibi import ALiBi
from heedful.attention.positions.position import Position
from heedful.attention.positions.t5 import T5RelativeBias
from heedful.bench.accuracy import check_options
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal
from heedful.bench.problem import Problem, attended, ours
from heedful.bench.rows.window import SIZE, causal_window
from heedful.bench.setting import Setting
from heedful.cost.measure import Run


def biases(setting: Setting) -> Iterator[Figure]:
    """Each position under a causal mask and under a window, forward, and forward with its gradients."""
    works: tuple[tuple[str, Mask, int], ...] = (
        ("causal", Causal(), setting.of(4096, 1024)),
        (f"window {SIZE}", causal_window(SIZE), setting.of(8192, 4096)),
    )
    for kind, mask, n in works:
        for name, position in (("ALiBi", ALiBi()), ("T5", relative())):
            for backward in (False, True):
                yield from against_none(
                    setting, f"{name}, {kind}", Problem(n, mask=mask, backward=backward, device=setting.device), position
                )


def against_none(setting: Setting, name: str, plain: Problem, position: Position) -> Iterator[Figure]:
    """One position on one piece of work."""
    biased = Problem(plain.n, plain.dtype, plain.mask, plain.backward, device=plain.device, options={"position": position})
    check_options(biased, setting.backend)
    t = plain.tensors()
    rival = Rival("without a position", ours(plain, t, setting.backend), Goal(1.15, least=False), slower=True)
    leaves = (*t.leaves, *position.parameters())
    out = attended(biased, t, setting.backend)
    run: Run = out if not plain.backward else lambda: torch.autograd.grad(out(), leaves, t.dout)
    yield from contest(setting, "biases", f"{name}, {plain.case}", run, [rival], plain.backward)


def relative() -> Position:
    """T5's bias, its table drawn at random."""
    position = T5RelativeBias(8)
    with torch.no_grad():
        position.weight.normal_(generator=torch.Generator().manual_seed(0))
    return position
