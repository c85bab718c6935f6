"""The contract of `attend`: over every row of every table, each backend equals the naive form, outputs and gradients."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

import heedful
from contract.bounds import GRADIENT, OUTPUT, bound, distance, visible
from contract.cases import BATCH, CASES, HEADS, Case, options_of, randomised, tensors_of
from heedful.attention.attend import attend
from heedful.attention.backends.table import BACKENDS
from heedful.attention.mechanism import Shape, find
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.table import SCORES
from heedful.masks import Causal, Padding

DTYPES = (torch.float64, torch.float32, torch.bfloat16)
FAST = tuple(row.name for row in BACKENDS if row.name != "naive")
ids = {"ids": str}


def run(case: Case, dtype: torch.dtype, backend: str, inputs: tuple[Tensor, ...] | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The output of a case, and the gradients of a fixed random loss by q, k and v."""
    q, k, v = inputs or tensors_of(case, dtype)
    out = attend(q, k, v, backend=backend, **options_of(case, dtype))
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(out.dtype)
    return out, torch.autograd.grad((out * weight).sum(), (q, k, v))


def exact(case: Case, dtype: torch.dtype) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The naive form in float64, on the very numbers that `dtype` holds."""
    inputs = tuple(x.detach().double().requires_grad_() for x in tensors_of(case, dtype))
    options = options_of(case, dtype)
    doubled = {name: as_double(value) for name, value in options.items()}
    out = attend(*inputs, backend="naive", **doubled)
    weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(dtype).double()
    return out, torch.autograd.grad((out * weight).sum(), inputs)


@cache
def bounds(case: Case, dtype: torch.dtype) -> tuple[float, ...]:
    """How far the output, and the gradients by q, k and v, may be from the truth."""
    seen = visible(dtype)
    truth, truth_grads = exact(case, seen)
    slow, slow_grads = run(case, seen, "naive")
    grads = zip(slow_grads, truth_grads, strict=True)
    return bound(slow, truth, dtype, OUTPUT), *(bound(mine, right, dtype, GRADIENT) for mine, right in grads)


def as_double(value: Any) -> Any:
    """Tensors and modules in float64, everything else as it is."""
    return value.double() if isinstance(value, torch.nn.Module) or (isinstance(value, Tensor) and value.is_floating_point()) else value


def unless_refused(backend: str, q: Tensor, k: Tensor, v: Tensor, **options: Any) -> None:
    """An expected failure, with the backend's own reason, where it does not serve such calls."""
    reason = next(word.reason for word in heedful.why(q, k, v, **options) if word.backend == backend)
    if reason is not None:
        pytest.xfail(reason)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("case", CASES, **ids)
def test_equals_naive(case: Case, backend: str, dtype: torch.dtype) -> None:
    q, k, v = tensors_of(case, dtype)
    word = next(r for r in heedful.why(q, k, v, **options_of(case, dtype)) if r.backend == backend)
    if word.reason is not None:
        with pytest.raises(heedful.HeedfulError, match="cannot serve"):
            attend(q, k, v, backend=backend, **options_of(case, dtype))
        return
    truth, truth_grads = exact(case, dtype)
    fast, fast_grads = run(case, dtype, backend)
    assert fast.dtype == dtype
    for got, right, most in zip((fast, *fast_grads), (truth, *truth_grads), bounds(case, dtype), strict=True):
        assert distance(got, right) <= most


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("row", POSITIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("score", ["scaled_dot", "biased", "content_biased"])
@pytest.mark.parametrize("biased", [False, True])
def test_nothing_added_to_the_scores_is_lost_beside_a_causal_mask(row: Any, backend: str, score: str, biased: bool) -> None:
    """torch's `is_causal` takes the mask's place only where nothing else has to be added."""
    shape, gen = Shape(HEADS, HEADS, 8, 7, 7), torch.Generator().manual_seed(2)
    options: dict[str, Any] = {
        "mask": Causal(),
        "score": randomised(find("score", SCORES, score).build(shape, {}), torch.float64, gen),
        "position": randomised(row.build(shape, {}), torch.float64, gen),
        "bias": torch.randn(HEADS, 7, 7, dtype=torch.float64) if biased else None,
    }
    q, k, v = (torch.randn(BATCH, HEADS, 7, 8, dtype=torch.float64) for _ in range(3))
    unless_refused(backend, q, k, v, **options)
    fast, slow = (attend(q, k, v, backend=name, **options) for name in (backend, "naive"))
    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=0)


@pytest.mark.parametrize("case", [c for c in CASES if c["weighting"] != "topk"], **ids)  # a rounding may change which keys are the top
def test_low_precision_naive_is_near_float64(case: Case) -> None:
    """Naive rounds once: its bfloat16 output is within a few roundings of float64 on the same numbers, parameters included."""
    truth, _ = exact(case, torch.bfloat16)
    slow, _ = run(case, torch.bfloat16, "naive")
    assert distance(slow, truth) <= 0.02 * max(truth.abs().max().item(), 1.0)


@pytest.mark.parametrize("case", [c for c in CASES if c["lengths"] in ((3, 8), (1, 6)) and c["weighting"] != "topk"], **ids)
def test_gradients_are_those_of_the_formula(case: Case) -> None:
    options = options_of(case, torch.float64)
    inputs = tensors_of(case, torch.float64)
    assert torch.autograd.gradcheck(lambda q, k, v: attend(q, k, v, backend="naive", **options), inputs, fast_mode=True)


@pytest.mark.parametrize("case", [c for c in CASES if c["lengths"] == (7, 7)], **ids)
def test_causal_never_looks_ahead(case: Case) -> None:
    options = options_of(case, torch.float64)
    options["mask"] = Causal() if options["mask"] is None else options["mask"] & Causal()
    q, k, v = tensors_of(case, torch.float64)
    before = attend(q, k, v, **options)
    k2, v2 = k.detach().clone(), v.detach().clone()
    k2[:, :, 4:] += 1.0
    v2[:, :, 4:] -= 3.0
    after = attend(q, k2, v2, **options)
    torch.testing.assert_close(after[:, :, :4], before[:, :, :4], atol=1e-14, rtol=0)
    if case["weighting"] in ("softmax", "sigmoid") and options["mask"].dense(7, 7)[..., 4:, 4:].any():
        assert not torch.equal(after[:, :, 4:], before[:, :, 4:])


@pytest.mark.parametrize("backend", [row.name for row in BACKENDS])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_padding_changes_nothing(backend: str, side: str, dtype: torch.dtype) -> None:
    q, k, v = (torch.randn(BATCH, HEADS, 6, 8, dtype=torch.float64).to(dtype) for _ in range(3))
    pad = torch.randn(BATCH, HEADS, 3, 8, dtype=torch.float64).to(dtype)
    wide = [torch.cat([pad, x] if side == "left" else [x, pad], dim=2) for x in (k, v)]
    padding = Padding(torch.tensor([6, 6]), side=side)
    unless_refused(backend, q, wide[0], wide[1], mask=padding)
    plain = attend(q, k, v, backend="naive")
    padded = attend(q, wide[0], wide[1], mask=padding, backend=backend)
    assert distance(padded, plain) <= 8 * torch.finfo(dtype).eps


@pytest.mark.parametrize("backend", [row.name for row in BACKENDS])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("biased", [False, True])
def test_a_query_with_nothing_to_attend_to_gives_zeros(backend: str, dtype: torch.dtype, biased: bool) -> None:
    allowed = torch.ones(BATCH, 1, 4, 5, dtype=torch.bool)
    allowed[0, :, 2] = False
    allowed[1] = False
    q, k, v = (torch.randn(BATCH, HEADS, n, 8, dtype=torch.float64).to(dtype).requires_grad_() for n in (4, 5, 5))
    bias = torch.randn(HEADS, 4, 5, dtype=torch.float64).to(dtype) if biased else None
    unless_refused(backend, q, k, v, mask=allowed, bias=bias)
    out = attend(q, k, v, mask=allowed, bias=bias, backend=backend)
    assert torch.equal(out[0, :, 2], torch.zeros_like(out[0, :, 2]))
    assert torch.equal(out[1], torch.zeros_like(out[1]))
    grads = torch.autograd.grad(out.sum(), (q, k, v))
    assert all(torch.isfinite(g).all() for g in grads)
    assert torch.equal(grads[0][0, :, 2], torch.zeros_like(grads[0][0, :, 2]))
    assert all(torch.equal(g[1], torch.zeros_like(g[1])) for g in grads)


@pytest.mark.parametrize("case", [c for c in CASES if c["weighting"] != "softmax" or c["sinks"]], **ids)
def test_empty_rows_under_every_weighting(case: Case) -> None:
    options = options_of(case, torch.float32)
    q_len, k_len = case["lengths"]
    options["mask"] = torch.zeros(q_len, k_len, dtype=torch.bool)
    q, k, v = tensors_of(case, torch.float32)
    out, weights = attend(q, k, v, return_weights=True, **options)
    residual = options["score"].finish(torch.zeros_like(out), q)
    assert torch.equal(out, residual)
    assert torch.equal(weights, torch.zeros_like(weights))
    assert all(torch.equal(g, torch.zeros_like(g)) for g in torch.autograd.grad(weights.sum() + out.sum(), (q, k, v)))


@pytest.mark.parametrize("case", [c for c in CASES if c["lengths"] == (7, 7) and c["mask"] not in ("random", "bigbird", "dense")], **ids)
def test_one_step_equals_the_last_row(case: Case) -> None:
    options = options_of(case, torch.float64)
    assert options["mask"] is None or options["mask"].stable
    if isinstance(options["bias"], Tensor) and options["bias"].ndim == 4:
        options["bias"] = options["bias"][:, :, -1:]
    q, k, v = tensors_of(case, torch.float64)
    step = attend(q[:, :, -1:], k, v, **options)
    full = attend(q, k, v, **{**options, "bias": options_of(case, torch.float64)["bias"]})
    torch.testing.assert_close(step, full[:, :, -1:], atol=1e-13, rtol=0)


@pytest.mark.parametrize("case", [c for c in CASES if c["groups"] > 1], **ids)
def test_grouped_heads_read_their_own_keys(case: Case) -> None:
    options = options_of(case, torch.float64)
    q, k, v = tensors_of(case, torch.float64)
    grouped = attend(q, k, v, **options)
    repeated = attend(q, k.repeat_interleave(case["groups"], 1), v.repeat_interleave(case["groups"], 1), **options)
    torch.testing.assert_close(grouped, repeated, atol=1e-13, rtol=0)


@pytest.mark.parametrize("backend", [row.name for row in BACKENDS])
@pytest.mark.parametrize("size", [1, 63, 100, 1000])
def test_odd_sizes(backend: str, size: int) -> None:
    q, k, v = (torch.randn(1, 2, size, 16, dtype=torch.float64) for _ in range(3))
    unless_refused(backend, q, k, v, mask=Causal())
    scores = (q @ k.mT / 4).masked_fill(torch.ones(size, size).triu(1).bool(), float("-inf"))
    torch.testing.assert_close(attend(q, k, v, mask=Causal(), backend=backend), scores.softmax(-1) @ v, atol=1e-12, rtol=0)
