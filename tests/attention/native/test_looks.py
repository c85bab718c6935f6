"""What the C++ engine tells beside the output: each summary alone and with others, in every type, with the output it must not disturb."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.native.library import unavailable
from heedful.attention.select import Select
from heedful.masks import BigBird, Causal, Documents, Sinks, Window

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
ALL = ("entropy", "distance", "sinks", "topk", "columns", "lse")
SETS = (*((name,) for name in ALL), ("columns", "sinks"), ("columns", "distance"), ("columns", "topk"), ALL)
MASKS = (None, Causal(), Causal() & (Window(70) | Sinks(3)), BigBird(32), Documents(torch.arange(200)[None] // 90))


def drawn(dtype: torch.dtype, queries: int = 200, keys: int = 200) -> tuple[Tensor, Tensor, Tensor]:
    gen = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, h, n, 32, generator=gen, dtype=torch.float64).to(dtype) for h, n in ((4, queries), (2, keys), (2, keys)))
    return q, k, v


def close(found: Tensor, right: Tensor, dtype: torch.dtype) -> None:
    """Sums of up to 200 weights: a few hundred roundings of the type."""
    torch.testing.assert_close(found.double(), right.double(), atol=64 * torch.finfo(dtype).eps, rtol=16 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("mask", MASKS, ids=repr)
@pytest.mark.parametrize("names", SETS, ids=",".join)
def test_summaries(names: tuple[str, ...], mask: Any, dtype: torch.dtype) -> None:
    q, k, v = drawn(dtype)
    out, found = attend(q, k, v, mask=mask, summaries=names, backend="tiled")
    truth, right = attend(q.double(), k.double(), v.double(), mask=mask, summaries=names, backend="naive")
    close(out, truth, dtype)
    for name in names:
        if name == "topk":
            assert found.topk is not None
            assert right.topk is not None
            close(found.topk[0], right.topk[0], torch.float32 if dtype == torch.float64 else dtype)
        else:
            close(getattr(found, name), getattr(right, name), torch.float32 if dtype == torch.float64 else dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("mask", MASKS, ids=repr)
@pytest.mark.parametrize(
    "select",
    [
        True,
        Select(heads=[3, 1, 1]),
        Select(queries=[5, -1, 100]),
        Select(heads=[2], queries=[199, 0]),
        Select(average=True),
        Select(heads=[0, 3], queries=[7, 150], average=True),
    ],
    ids=["all", "heads", "queries", "both", "average", "average of some"],
)
def test_weights(select: Any, mask: Any, dtype: torch.dtype) -> None:
    q, k, v = drawn(dtype)
    options: Any = {"mask": mask, "return_weights": select, "summaries": ("columns",), "sink_logits": torch.ones(4)}
    out, found, _ = attend(q, k, v, backend="tiled", **options)
    truth, right, _ = attend(q.double(), k.double(), v.double(), backend="naive", **options)
    close(out, truth, dtype)
    assert found.dtype == dtype
    close(found, right, dtype)


def test_dropout_leaves_what_is_told_alone() -> None:
    q, k, v = drawn(torch.float32)
    _, weights, found = attend(q, k, v, dropout=0.5, seed=3, return_weights=True, summaries=("columns", "distance"), backend="tiled")
    _, right, kept = attend(q, k, v, return_weights=True, summaries=("columns", "distance"), backend="naive")
    torch.testing.assert_close(weights, right, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.columns, kept.columns, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.distance, kept.distance, atol=1e-3, rtol=1e-4)


def test_heaviest_keys_are_named() -> None:
    q, k, v = drawn(torch.float32)
    _, found = attend(q, k, v, summaries=("topk",), backend="tiled")
    _, right = attend(q, k, v, summaries=("topk",), backend="naive")
    assert found.topk is not None
    assert right.topk is not None
    assert torch.equal(found.topk[1], right.topk[1])


@pytest.mark.parametrize(
    "select", [True, Select(heads=[0, 2], queries=[3]), Select(heads=[1, 3], average=True)], ids=["all", "some", "average"]
)
def test_all_that_is_told_may_be_differentiated(select: Any) -> None:
    drawn_ = [x.requires_grad_() for x in drawn(torch.float64, 70, 90)]
    results = []
    for backend in ("naive", "tiled"):
        out, weights, s = attend(*drawn_, mask=Causal(), return_weights=select, summaries=ALL, backend=backend)
        told = [s.entropy, s.columns, s.topk[0], s.sinks, s.distance, s.lse]
        alone = torch.autograd.grad(out.square().sum(), drawn_, retain_graph=True)
        loss = out.square().sum() + weights.square().sum() + sum(x.square().sum() for x in told)
        results.append((*alone, *torch.autograd.grad(loss, drawn_)))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-9)
