"""A layer of 8 heads, width 512: against nn.MultiheadAttention, x-transformers and Keras; with a window, Longformer."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from heedful.attention.masks.window import Window
from heedful.attention.select import Select
from heedful.bench import peers
from heedful.bench.contest import Rival, contest
from heedful.bench.figure import Figure, Goal, absent
from heedful.bench.problem import short
from heedful.bench.setting import Setting
from heedful.cost.measure import Run
from heedful.errors import HeedfulError
from heedful.layers.multihead import MultiHeadAttention

WIDTH, HEADS, SIDE = 512, 8, 256
Layer = Callable[[Tensor], object]


def layer(setting: Setting) -> Iterator[Figure]:
    """Without weights, with them averaged over heads and per head; then the other libraries."""
    n = setting.of(2048, 512)
    for dtype in (torch.float32, torch.bfloat16):
        theirs = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, device=setting.device).to(dtype).eval()
        mine = MultiHeadAttention.from_torch(theirs)
        mine.backend = setting.backend
        x = torch.randn(1, n, WIDTH, generator=torch.Generator().manual_seed(0)).to(setting.device, dtype)
        check(mine, theirs, x)
        seen = Goal(1.0 if dtype == torch.float32 else 1.5)
        for name, run, rival, goal in (
            ("no weights", calls(mine, x), calls_torch(theirs, x, None), Goal(1.0)),
            ("weights averaged", averaged(mine, x), calls_torch(theirs, x, True), seen),
            ("weights per head", traced(mine, x), calls_torch(theirs, x, False), seen),
        ):
            case = f"{name}, {short(dtype)}, N = {n:,}, forward"
            yield from contest(setting, "layer", case, run, [Rival("nn.MultiheadAttention", rival, goal)])
    yield from libraries(setting, n)
    yield from windowed(setting, setting.of(4096, 2048))


def libraries(setting: Setting, n: int) -> Iterator[Figure]:
    """Layers of the same sizes with weights of their own, float32."""
    x = torch.randn(1, n, WIDTH, device=setting.device)
    mine = MultiHeadAttention(WIDTH, HEADS, backend=setting.backend).to(setting.device).eval()
    contestants: tuple[tuple[str, str, Layer | str, Run], ...] = (
        ("x-transformers", "no weights", peers.x_transformers(WIDTH, HEADS, x.dtype), calls(mine, x)),
        ("keras", "no weights", peers.keras(WIDTH, HEADS, weights=False), calls(mine, x)),
        ("keras", "weights per head", peers.keras(WIDTH, HEADS, weights=True), traced(mine, x)),
    )
    for name, what, rival, run in contestants:
        yield from against(setting, f"{what}, float32, N = {n:,}, forward", run, name, rival, x)


def windowed(setting: Setting, n: int) -> Iterator[Figure]:
    """A window of 256 keys on either side; Longformer's layer has no output projection, ours has."""
    x = torch.randn(1, n, WIDTH, device=setting.device)
    mine = MultiHeadAttention(WIDTH, HEADS, mask=Window(SIDE + 1, ahead=SIDE), backend=setting.backend).to(setting.device).eval()
    rival = peers.longformer(WIDTH, HEADS, SIDE)
    yield from against(setting, f"window {SIDE} + 1 + {SIDE}, float32, N = {n:,}, forward", calls(mine, x), "Longformer", rival, x)


def against(setting: Setting, case: str, run: Run, name: str, rival: Layer | str, x: Tensor) -> Iterator[Figure]:
    """One library, or why not."""
    if isinstance(rival, str):
        yield absent("layer", case, name, rival)
    else:
        yield from contest(setting, "layer", case, run, [Rival(name, calls(rival, x), Goal(1.0))])


def calls(module: Layer, x: Tensor) -> Run:
    """The layer on x."""
    return lambda: module(x)


def traced(mine: MultiHeadAttention, x: Tensor) -> Run:
    """Ours with every head's weights."""
    return lambda: mine(x, trace=True)


def averaged(mine: MultiHeadAttention, x: Tensor) -> Run:
    """Ours with the heads' mean weights, which torch's layer returns by default."""
    return lambda: mine(x, trace=Select(average=True))[1].weights[:, 0]


def calls_torch(theirs: nn.MultiheadAttention, x: Tensor, average: bool | None) -> Run:
    """torch's without weights (None), or with them, averaged or not."""
    return lambda: theirs(x, x, x, need_weights=average is not None, average_attn_weights=bool(average))


def check(mine: MultiHeadAttention, theirs: nn.MultiheadAttention, x: Tensor) -> None:
    """The same outputs and weights."""
    with torch.no_grad():
        (out, trace), (right, weights) = mine(x, trace=True), theirs(x, x, x, average_attn_weights=False)
    slack = 0.03 if x.dtype == torch.bfloat16 else 1e-5
    if not (torch.allclose(out, right, atol=slack) and torch.allclose(trace.weights, weights, atol=slack)):
        raise HeedfulError(f"a layer in {x.dtype} differs from nn.MultiheadAttention by more than {slack}; it is not timed")
