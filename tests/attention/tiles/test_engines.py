"""Every engine passes the contract's cases by itself: the first that can would hide the others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import heedful
from contract.bounds import GRADIENT, OUTPUT, bound, distance, visible
from contract.cases import CASES, Case, options_of, tensors_of
from contract.test_attend_contract import bounds, exact, run
from heedful.attention.attend import attend
from heedful.attention.tiles import engines
from heedful.attention.tiles.engine import Engine
from heedful.attention.tiles.engines import ENGINES
from heedful.masks import BigBird, Causal, Random, Sinks, Window


def able(case: Case) -> bool:
    reasons = heedful.why(*tensors_of(case, torch.float32), **options_of(case, torch.float32))
    return any(row.backend == "tiled" and row.reason is None for row in reasons)


ABLE = [case for case in CASES if able(case)]


@pytest.fixture(params=ENGINES, ids=lambda row: row.name)
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """One engine of the table, the others gone."""
    row: Engine = request.param
    monkeypatch.setattr(engines, "ENGINES", (row, *(other for other in ENGINES if other.name == "torch")))
    return row


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", ABLE, ids=str)
def test_equals_naive(case: Case, dtype: torch.dtype, alone: Engine) -> None:
    truth, truth_grads = exact(case, dtype)
    fast, fast_grads = run(case, dtype, "tiled")
    for got, right, most in zip((fast, *fast_grads), (truth, *truth_grads), bounds(case, dtype), strict=True):
        assert distance(got, right) <= most


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "mask",
    [None, Causal() & Window(300), Causal() & (Window(65) | Sinks(4)), Causal() & BigBird(32), Random(40)],
    ids=lambda mask: "none" if mask is None else repr(mask),
)
def test_many_tiles(mask: Any, dtype: torch.dtype, alone: Engine) -> None:
    """Lengths of many blocks, the last of them not whole, queries and keys not as many."""
    drawn = [torch.randn(1, n, length, 16, dtype=torch.float64) for n, length in ((4, 700), (2, 900), (2, 900))]
    seen = visible(dtype)
    fast, truth = (found(drawn, mask, backend, dtype, kind) for backend, kind in (("tiled", dtype), ("naive", torch.float64)))
    slow, right = (found(drawn, mask, "naive", seen, kind) for kind in (seen, torch.float64))
    for at, roundings in enumerate((OUTPUT, GRADIENT, GRADIENT, GRADIENT)):
        assert distance(fast[at], truth[at]) <= bound(slow[at], right[at], dtype, roundings)


def found(drawn: list[Tensor], mask: Any, backend: str, dtype: torch.dtype, kind: torch.dtype) -> tuple[Tensor, ...]:
    """The output and the gradients by q, k and v, computed in `kind` on the numbers that `dtype` holds."""
    q, k, v = (x.to(dtype).to(kind).requires_grad_() for x in drawn)
    out = attend(q, k, v, mask=mask, backend=backend)
    direction = torch.linspace(-1.0, 1.0, out.numel(), dtype=torch.float64).reshape(out.shape).to(dtype).to(kind)
    return out, *torch.autograd.grad((out * direction).sum(), (q, k, v))
