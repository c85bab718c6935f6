"""The activations in one pass, against torch's in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import gelu as torch_gelu
from torch.utils.flop_counter import FlopCounterMode

from contract.bounds import GRADIENT, bound, distance
from heedful.layers.mlp import GELU, SwiGLU
from heedful.layers.native import activation, feed, library
from heedful.layers.native.activation import gelu, swiglu, torch_swiglu
from heedful.layers.projection import Projection

PAIRS: tuple[tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]], ...] = ((gelu, torch_gelu), (swiglu, torch_swiglu))
kinds = pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["gelu", "swiglu"])


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    if library.doors() is None:
        pytest.skip("there is no compiler")
    monkeypatch.setattr(library, "SMALL", 0)


def refuse(*_: object) -> Tensor:
    raise AssertionError("the compiled form was taken")


def drawn(dtype: torch.dtype, *shape: int) -> Tensor:
    return (3 * torch.randn(*shape, dtype=torch.float64)).to(dtype)


@kinds
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", [(3, 5, 74), (2, 32), (7, 2), (1, 512, 128)], ids=str)
def test_errs_no_more_than_torch(ours: Callable, theirs: Callable, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    x = drawn(dtype, *shape)
    assert library.serves(x)
    up = drawn(dtype, *theirs(x).shape)
    found = []
    for form, kind in ((ours, dtype), (theirs, dtype), (theirs, torch.float64)):
        given = x.to(kind).requires_grad_()
        out = form(given)
        found.append((out, *torch.autograd.grad(out, given, up.to(kind))))
    for mine, slow, right in zip(*found, strict=True):
        assert mine.dtype == dtype
        assert distance(mine, right) <= bound(slow, right, dtype, GRADIENT)


@kinds
def test_ends_of_the_line(ours: Callable, theirs: Callable) -> None:
    x = torch.tensor([0.0, -0.0, 1e30, -1e30, 40.0, -40.0, -14.0, 1e-30]).repeat_interleave(2)[None]
    x = torch.cat([x, torch.ones_like(x)], dim=-1)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-6, rtol=1e-6)
    assert ours(torch.full((1, 32), torch.nan)).isnan().all()


@kinds
def test_can_be_differentiated_twice(ours: Callable, theirs: Callable) -> None:
    results = []
    for form in (ours, theirs):
        x = drawn(torch.float32, 4, 32).requires_grad_() if not results else results[0][0].detach().requires_grad_()
        (once,) = torch.autograd.grad(form(x).square().sum(), x, create_graph=True)
        results.append((x, once, *torch.autograd.grad(once.square().sum(), x)))
    for mine, right in zip(*results, strict=True):
        torch.testing.assert_close(mine, right, rtol=1e-5, atol=1e-4)


@kinds
def test_one_thread_does_as_two(ours: Callable, theirs: Callable) -> None:
    x = drawn(torch.float32, 301, 512)
    alone = ours(x)
    torch.set_num_threads(2)
    assert torch.equal(ours(x), alone)


@kinds
def test_what_it_leaves_to_torch(ours: Callable, theirs: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation, "activated", refuse)
    x = drawn(torch.float32, 8, 64)
    for other in (x.double(), x[:, ::2]):
        assert torch.equal(ours(other), theirs(other))
    with FlopCounterMode(display=False):
        assert torch.equal(ours(x), theirs(x))
    mine, right = (torch.func.grad(lambda y, form=form: form(y).sum())(x) for form in (ours, theirs))
    assert torch.equal(mine, right)
    assert torch.equal(torch.func.vmap(ours)(x), torch.func.vmap(theirs)(x))
    with pytest.raises(AssertionError, match="compiled form"):
        ours(x)


@pytest.mark.parametrize("kind", [GELU, SwiGLU])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("joined", [False, True])
def test_the_whole_layer_in_one_step_is_the_layer_in_several(kind: type, bias: bool, joined: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x, stream = kind(16, bias=bias), drawn(torch.float32, 3, 5, 16).requires_grad_(), drawn(torch.float32, 3, 5, 16).requires_grad_()
    inputs = (x, *((stream,) if joined else ()), *layer.parameters())
    results = []
    for takes in (feed.takes, lambda *_: False):
        monkeypatch.setattr(feed, "takes", takes)
        out = layer(x, stream if joined else None)
        once = torch.autograd.grad(out.square().sum(), inputs, create_graph=True)
        plain = torch.autograd.grad(layer(x, stream if joined else None).square().sum(), inputs)
        results.append((out, *once, *plain, *torch.autograd.grad(sum(each.square().sum() for each in once), inputs)))
    assert type(layer(x).grad_fn).__name__ != "FeedBackward"
    for one, several in zip(*results, strict=True):
        torch.testing.assert_close(one, several, rtol=1e-4, atol=1e-5 * several.abs().max().item())


def test_a_frozen_weight_gets_no_gradient() -> None:
    layer, x = GELU(16), drawn(torch.float32, 3, 5, 16)
    layer.up.weight.requires_grad_(False)
    out = layer(x)
    assert type(out.grad_fn).__name__ == "FeedBackward"
    out.sum().backward()
    assert layer.up.weight.grad is None
    assert layer.down.weight.grad is not None


def test_a_layer_that_is_looked_into_goes_step_by_step() -> None:
    layer, x, seen = SwiGLU(16), drawn(torch.float32, 3, 5, 16), []
    hook = layer.down.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    layer(x)
    assert seen[0].shape == (3, 5, layer.down.in_features)
    hook.remove()
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    layer.down = LowRank(layer.down)
    assert not layer(x).any()


class LowRank(Projection):
    """Another kind of linear layer, which is not what its weight says."""

    def __init__(self, layer: Projection) -> None:
        super().__init__(layer.in_features, layer.out_features, bias=False)

    def forward(self, x: Tensor, stream: Tensor | None = None) -> Tensor:
        return super().forward(x, stream) * 0
