"""A causal window of 256 keys: against SDPA with a dense mask, FlexAttention, local-attention, and the matrix product."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.bench import peers
from heedful.bench.accuracy import errors
from heedful.bench.contest import Rival, contest, matrix_product
from heedful.bench.figure import Figure, Goal, absent
from heedful.bench.problem import Problem, Tensors, attended, ours, sdpa
from heedful.bench.setting import Setting
from heedful.errors import HeedfulError

SIZE = 256


def causal_window(size: int) -> Mask:
    """The mask of the row."""
    return Causal() & Window(size)


def window(setting: Setting) -> Iterator[Figure]:
    """Each dtype and pass, and then the other libraries."""
    n = setting.of(8192, 4096)
    works = ((torch.float32, False, 20.0), (torch.bfloat16, False, 35.0), (torch.float32, True, 15.0))
    for dtype, backward, bound in works:
        problem = Problem(n, dtype, causal_window(SIZE), backward, device=setting.device)
        errors(problem, setting.backend)
        t = problem.tensors()
        share = Goal(0.55) if dtype == torch.float32 and not backward else None
        rivals = [
            Rival("torch SDPA, dense mask", sdpa(problem, t), Goal(bound)),
            matrix_product(dtype, problem.cost().operations, share, setting.device),
        ]
        yield from contest(setting, "window", problem.case, ours(problem, t, setting.backend), rivals, backward)
    yield from libraries(setting, n)


def libraries(setting: Setting, n: int) -> Iterator[Figure]:
    """FlexAttention and local-attention, float32, forward."""
    problem = Problem(n, mask=causal_window(SIZE), device=setting.device)
    t = problem.tensors()
    made, seconds = peers.flex(problem, t, within)
    yield from against(setting, problem, t, f"FlexAttention compiled (in {seconds:.0f} s)", made, Goal(1.3))
    one_more = Problem(n, mask=causal_window(SIZE + 1), device=setting.device)  # local-attention's window leaves the query's own key out
    yield from against(setting, one_more, t, "local-attention", peers.local_attention(t, SIZE), Goal(1.0))


def against(setting: Setting, problem: Problem, t: Tensors, name: str, made: peers.Made, goal: Goal) -> Iterator[Figure]:
    """One library, if it is here and computes the same."""
    if isinstance(made, str):
        yield absent("window", problem.case, name, made)
        return
    run = attended(problem, t, setting.backend)
    with torch.no_grad():
        far = (run() - made()).abs().max().item()
    if not far < 1e-4:
        raise HeedfulError(f"{name} and ours are {far:.3g} apart on {problem.case}; neither is timed")
    yield from contest(setting, "window", problem.case, run, [Rival(name, made, goal)])


def within(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
    """The same rule for FlexAttention."""
    return (q >= k) & (q - k < SIZE)
