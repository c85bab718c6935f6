"""Few queries over the keys that the mask leaves them, against the whole matrix."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import heedful
from contract.bounds import bound, distance
from heedful.attention.attend import attend
from heedful.attention.backends.decode import groups
from heedful.attention.backends.slab import slab_of
from heedful.attention.resolve import resolve
from heedful.errors import Unsupported
from heedful.masks import BigBird, Causal, Dense, Dilated, Documents, Mask, Padding, Prefix, Random, Rule, Sinks, Strided, Window

K = 600
IDS = torch.tensor([[0] * 300 + [1] * 300, [0] * 590 + [1] * 10])
MASKS: tuple[Mask | None, ...] = (
    None,
    Causal(),
    Causal() & Window(50),
    Causal() & (Sinks(4) | Window(50)),
    Window(5, ahead=2),
    ~Prefix(590),
    Causal() & ~Prefix(torch.tensor([2, 550])),
    Padding(torch.tensor([7, 400])),
    Documents(IDS) & Causal(),
    Strided(7) & Causal(),
    Dilated(9, 16) | Sinks(1),
    Random(5, seed=1),
    BigBird(16, random=1),
    Rule(lambda b, h, q, k: k < 20 + 10 * h),
    Dense(torch.rand(2, 4, 1, K, generator=torch.Generator().manual_seed(0)) > 0.9),
    Sinks(0),
)


def tensors(q: int, dtype: torch.dtype = torch.float64, groups: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    gen = torch.Generator().manual_seed(5)
    drawn = (torch.randn(2, h, n, 8, generator=gen, dtype=torch.float64).to(dtype) for h, n in ((4, q), (4 // groups, K), (4 // groups, K)))
    a, b, c = (x.requires_grad_() for x in drawn)
    return a, b, c


@pytest.mark.parametrize("q", [1, 3, 8])
@pytest.mark.parametrize("mask", MASKS, ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"position": "rope"},
        {"position": "alibi", "bias": torch.randn(4, 1, K, dtype=torch.float64), "softcap": 3.0},
        {"sink_logits": torch.ones(4, dtype=torch.float64), "temperature": torch.tensor([0.5, 1.0, 2.0, 3.0], dtype=torch.float64)},
        {"weighting": "sparsemax", "score": "cosine", "bias": torch.randn(2, 1, 1, 1, dtype=torch.float64)},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
def test_equals_naive_with_gradients_weights_and_summaries(mask: Mask | None, q: int, options: dict[str, Any]) -> None:
    inputs = tensors(q)
    names = ("entropy", "distance", "sinks", "columns", *(() if "weighting" in options else ("lse",)))
    asked: dict[str, Any] = {"return_weights": True, "summaries": names, "mask": mask, **options}
    plain = attend(*inputs, mask=mask, backend="decode", **options)
    results = []
    for backend in ("decode", "naive"):
        out, weights, summary = attend(*inputs, backend=backend, **asked)
        told = [x for x in (summary.entropy, summary.distance, summary.sinks, summary.columns, summary.lse) if x is not None]
        results.append((out, weights, *told, *torch.autograd.grad(out.square().sum() + weights.square().sum(), inputs)))
    torch.testing.assert_close(plain, results[1][0], atol=1e-12, rtol=0)
    for fast, slow in zip(*results, strict=True):
        torch.testing.assert_close(fast, slow, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("mask", MASKS[:5], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_low_precision_errs_no_more_than_naive(mask: Mask | None, groups: int, dtype: torch.dtype) -> None:
    q, k, v = (x.detach() for x in tensors(1, dtype, groups))
    exact = attend(q.double(), k.double(), v.double(), mask=mask, backend="naive")
    slow, fast = (attend(q, k, v, mask=mask, backend=backend) for backend in ("naive", "decode"))
    assert fast.dtype == dtype
    assert distance(fast, exact) <= bound(slow, exact, dtype)


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
def test_heads_are_folded_as_far_as_every_thread_keeps_one(threads: int) -> None:
    q, k, v = torch.randn(1, 12, 2, 8), torch.randn(1, 2, K, 8), torch.randn(1, 2, K, 8)
    mask = Dense(torch.rand(12, 2, K) > 0.5)
    torch.set_num_threads(threads)
    assert groups(resolve(q, k, v, {"mask": mask})) == {1: 2, 2: 2, 3: 4, 9: 12}[threads]
    torch.testing.assert_close(attend(q, k, v, mask=mask, backend="decode"), attend(q, k, v, mask=mask, backend="naive"))


def test_a_step_under_a_window_reads_slices_and_nothing_else() -> None:
    q, k, v = tensors(1)
    slab = slab_of(resolve(q, k, v, {"mask": Causal() & (Sinks(4) | Window(50))}))
    assert (slab.places, slab.allowed) == ([slice(0, 4), slice(550, 600)], None)
    assert [part.data_ptr() for part in slab.of(k)] == [k.data_ptr(), k[:, :, 550:].data_ptr()]


def test_keys_that_no_query_sees_are_not_read() -> None:
    """What stands there may be anything: NaN would show."""
    q, k, v = (x.detach() for x in tensors(2))
    for mask in (Causal() & Window(20), Dilated(9, 16), Causal() & (Sinks(3) | Window(9)), Documents(IDS[1:])):
        shut = ~mask.dense(2, K).any(2)[0, 0]
        spoilt_k, spoilt_v = (x.masked_fill(shut[:, None], torch.nan) for x in (k, v))
        torch.testing.assert_close(attend(q, spoilt_k, spoilt_v, mask=mask, backend="decode"), attend(q, k, v, mask=mask, backend="naive"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dropout": 0.1}, "drops nothing"),
        ({"score": heedful.scores.QueryBiased(8, K, 4)}, "looks at places"),
    ],
)
def test_what_it_does_not_serve_it_says(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        attend(*tensors(1), backend="decode", **options)
    with pytest.raises(Unsupported, match="8 queries or fewer: there are 9"):
        attend(*tensors(9), backend="decode")


def test_it_compiles_whole_at_any_length() -> None:
    """In a process of its own: the checks of shapes that tests add cannot be traced."""
    tests = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(tests), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "attention.backends.compiled_decode"]
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tests, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
