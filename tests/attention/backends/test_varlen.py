"""Packed texts one by one, against the whole matrix."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from contract.bounds import bound, distance
from heedful.attention.attend import attend
from heedful.attention.backends.packed import lengths_of
from heedful.attention.backends.varlen import span
from heedful.errors import ShapeError, Unsupported
from heedful.masks import Causal, Documents, Mask, Sinks, Strided, Window

IDS = torch.tensor([[0] * 7 + [3] * 1 + [1] * 12, [5] * 20])
WITHIN: tuple[Mask | None, ...] = (None, Causal(), Causal() & Window(5), Window(3, ahead=1) & ~Strided(2))
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"position": "rope"},
    {"position": "alibi", "bias": torch.randn(4, 20, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)},
    {"softcap": 2.0, "sink_logits": torch.ones(4, dtype=torch.float64)},
    {"temperature": torch.tensor([0.5, 1.0, 1.5, 2.0], dtype=torch.float64), "weighting": "sparsemax"},
    {"position": "sinusoidal", "score": "cosine", "bias": torch.ones(2, 1, 20, 1, dtype=torch.float64)},
)


def tensors(dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    gen = torch.Generator().manual_seed(3)
    q, k, v = (torch.randn(2, h, 20, 8, generator=gen, dtype=torch.float64).to(dtype).requires_grad_() for h in (4, 2, 2))
    return q, k, v


@pytest.mark.parametrize("within", WITHIN, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("ids", [IDS, IDS[:1]], ids=["each", "shared"])
def test_equals_naive_with_gradients(within: Mask | None, options: dict[str, Any], ids: Tensor) -> None:
    mask = Documents(ids) if within is None else within & Documents(ids)
    inputs = tensors(torch.float64)
    results = []
    for backend in ("varlen", "naive"):
        out = attend(*inputs, mask=mask, backend=backend, **options)
        results.append((out, *torch.autograd.grad(out.square().sum(), inputs)))
    for fast, slow in zip(*results, strict=True):
        torch.testing.assert_close(fast, slow, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_low_precision_errs_no_more_than_naive(dtype: torch.dtype) -> None:
    mask = Documents(IDS) & Causal()
    inputs = [x.detach() for x in tensors(dtype)]
    exact = attend(*(x.double() for x in inputs), mask=mask, backend="naive")
    slow, fast = (attend(*inputs, mask=mask, backend=backend) for backend in ("naive", "varlen"))
    assert distance(fast, exact) <= bound(slow, exact, dtype)


def test_one_text_never_reaches_another() -> None:
    q, k, v = (x.detach() for x in tensors(torch.float64))
    spoilt_k, spoilt_v = k.clone(), v.clone()
    spoilt_k[0, :, :7], spoilt_v[0, :, :7] = torch.nan, torch.nan
    out, clean = (attend(q, a, b, mask=Documents(IDS), backend="varlen") for a, b in ((spoilt_k, spoilt_v), (k, v)))
    assert torch.equal(out[0, :, 7:], clean[0, :, 7:])
    assert out[0, :, :7].isnan().all()


def test_lengths_are_read_again_when_the_ids_are_written_to() -> None:
    ids = torch.tensor([[0, 0, 1, 1]])
    assert lengths_of(ids) == [[2, 2]]
    ids[0, 1] = 1
    assert lengths_of(ids) == [[1, 3]]
    ids[0, 3] = 0
    assert lengths_of(ids) is None


@pytest.mark.parametrize(
    ("mask", "options", "reason"),
    [
        (Causal(), {}, r"serves Documents\(ids\)"),
        (Documents(IDS) & Sinks(2), {}, r"serves Documents\(ids\)"),
        (Documents(torch.arange(20)[None] % 2), {}, "several pieces"),
        (Documents(IDS), {"return_weights": True}, "no weights"),
        (Documents(IDS), {"dropout": 0.1, "seed": 1}, "given seed"),
    ],
)
def test_what_it_does_not_serve_it_says(mask: Mask, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        attend(*tensors(torch.float32), mask=mask, backend="varlen", **options)


def test_ids_of_another_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="20 keys"):
        attend(*(x[:, :, :9] for x in tensors(torch.float32)), mask=Documents(IDS), backend="varlen")


def test_windows_as_torchs_kernel_counts_them() -> None:
    """(keys behind, keys ahead), the query's own not counted: torch.nn.attention.varlen."""
    assert [
        span(rule) for rule in (None, Causal(), Window(5), Window(5, ahead=2), Causal() & Window(5, ahead=2), Causal() | Window(2))
    ] == [
        (-1, -1),
        (-1, 0),
        (4, 0),
        (4, 2),
        (4, 0),
        None,
    ]


def test_lengths_name_documents() -> None:
    ends = torch.tensor([0, 7, 8, 20])
    assert torch.equal(Documents.from_lengths(ends.diff()).ids, torch.tensor([[0] * 7 + [1] + [2] * 12]))
    assert torch.equal(Documents.from_lengths([2, 1], [3]).ids, torch.tensor([[0, 0, 1], [0, 0, 0]]))
    with pytest.raises(ShapeError, match=r"as long as the others: found rows of \[3, 4\]"):
        Documents.from_lengths([2, 1], [4])
