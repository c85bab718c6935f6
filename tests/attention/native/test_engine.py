"""The C++ engine: layouts, threads, what it does to the process, and what happens where it cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.native import build
from heedful.attention.native.backward import splits
from heedful.attention.native.library import unavailable
from heedful.masks import Causal

native = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))


def gradients(q: Tensor, k: Tensor, v: Tensor, backend: str) -> tuple[Tensor, ...]:
    out = attend(q, k, v, mask=Causal(), backend=backend)
    return out, *torch.autograd.grad(out.square().sum(), (q, k, v))


@native
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_any_layout(dtype: torch.dtype) -> None:
    """Heads side by side in each place, as layers have them; keys expanded over the batch; a width that is a slice."""
    gen = torch.Generator().manual_seed(0)
    q = torch.randn(2, 130, 4, 48, generator=gen, dtype=torch.float64).to(dtype).transpose(1, 2)
    k = torch.randn(1, 2, 150, 96, generator=gen, dtype=torch.float64).to(dtype)[..., 8:56].expand(2, -1, -1, -1)
    v = torch.randn(2, 150, 2, 33, generator=gen, dtype=torch.float64).to(dtype).transpose(1, 2)
    strided = gradients(*(x.requires_grad_() for x in (q, k, v)), "tiled")
    dense = gradients(*(x.detach().contiguous().requires_grad_() for x in (q, k, v)), "tiled")
    for one, other in zip(strided, dense, strict=True):
        assert torch.equal(one, other)
    assert strided[0].transpose(1, 2).is_contiguous()  # laid out as the queries are


@native
def test_threads_and_parts_change_roundings_only() -> None:
    q, k, v = (torch.randn(1, h, 300, 16, dtype=torch.float64, requires_grad=True) for h in (3, 1, 1))
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(gradients(q, k, v, "tiled"))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            torch.testing.assert_close(one, two, atol=1e-12, rtol=1e-12)


def test_work_is_cut_where_threads_would_wait() -> None:
    assert [splits(heads, threads) for heads, threads in ((8, 2), (3, 2), (1, 4), (17, 4))] == [1, 2, 4, 1]


@native
def test_small_numbers_are_left_to_the_caller() -> None:
    """The engine takes them for zero inside, and puts things back."""
    q = torch.randn(1, 1, 64, 8)
    attend(q, q, q, backend="tiled")
    assert torch.tensor(1e-40).mul(1.0).item() > 0.0


@native
def test_scratch_may_hold_anything() -> None:
    """Memory that earlier calls filled with NaN does not come through, in sizes that are no whole tiles."""
    for length in (200, 70, 3, 129):
        bad = torch.full((1, 2, length, 24), float("nan"))
        attend(bad, bad, bad, backend="tiled", summaries=("columns", "topk", "distance"))
        q, k, v = (torch.randn(1, 2, length - 1, 24) for _ in range(3))
        out, found = attend(q, k, v, backend="tiled", summaries=("columns", "topk", "distance"))
        right, told = attend(q, k, v, backend="naive", summaries=("columns", "topk", "distance"))
        torch.testing.assert_close(out, right, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.columns, told.columns, atol=1e-4, rtol=1e-4)


def test_without_a_compiler_the_other_engine_serves(tmp_path: Path) -> None:
    """A machine without one: the reason is told, and the result is the same."""
    program = """
import torch, heedful
from heedful.attention.native.library import unavailable
q = torch.randn(1, 2, 100, 16, generator=torch.Generator().manual_seed(0))
out = heedful.attend(q, q, q, backend="tiled")
torch.testing.assert_close(out, heedful.attend(q, q, q, backend="naive"), atol=1e-5, rtol=1e-4)
print(unavailable())
"""
    for environment, reason in (({"CXX": "no-such-compiler"}, "there is no C++ compiler"), ({"HEEDFUL_NATIVE": "0"}, "HEEDFUL_NATIVE=0")):
        env = {"PATH": "/usr/bin:/bin", "HEEDFUL_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1", **environment}
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False)
        assert reason in run.stdout, run.stdout + run.stderr


def test_a_failed_compilation_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    bad = tmp_path / "bad-compiler"
    bad.write_text("#!/bin/sh\necho 'flash.cpp:1: error: no such luck' >&2\nexit 1\n")
    bad.chmod(0o755)
    target = tmp_path / "cache" / "native.so"
    assert build.compile_to(str(bad), target) == "bad-compiler could not compile it: flash.cpp:1: error: no such luck"
    assert list((tmp_path / "cache").iterdir()) == []
