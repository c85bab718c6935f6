"""What `tiled` and `banded` add to the contract: derivatives of every kind, autocast, dropout, summaries, one graph when traced."""

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
from heedful.attention.attend import attend
from heedful.attention.summary import SUMMARIES
from heedful.masks import Causal, Dense, Sinks, Window
from heedful.positions import ALiBi, RoPE, T5RelativeBias
from heedful.scores import Biased, Cosine

TESTS = Path(__file__).parents[2]
BAND = Causal() & (Window(40) | Sinks(2))


def inputs(q_len: int = 100, k_len: int = 130, dtype: torch.dtype = torch.float64, groups: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    q, k, v = (torch.randn(2, n, length, 8, dtype=dtype) for n, length in ((4, q_len), (groups, k_len), (groups, k_len)))
    return q.requires_grad_(), k.requires_grad_(), v.requires_grad_()


def options(name: str) -> dict[str, Any]:
    return {
        "alibi": {"position": ALiBi(), "mask": BAND},
        "t5": {"position": T5RelativeBias(4).double(), "mask": BAND},
        "rope": {"position": RoPE(), "softcap": 3.0},
        "biased": {"score": Biased(4, radius=9).double()},
        "cosine": {"score": Cosine(learnable=True, heads=4).double(), "mask": BAND},
        "sinks": {"sink_logits": torch.randn(4, dtype=torch.float64), "temperature": torch.rand(4, dtype=torch.float64) + 0.5},
    }[name]


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("name", ["alibi", "t5", "rope", "biased", "cosine", "sinks"])
def test_parameters_get_the_gradients_of_naive(name: str, dropout: float) -> None:
    given, (q, k, v) = options(name), inputs()
    modules = [x for x in given.values() if isinstance(x, torch.nn.Module)]
    learned = [torch.nn.init.normal_(p) for module in modules for p in module.parameters()]
    learned += [x.requires_grad_() for x in given.values() if isinstance(x, Tensor)]
    direction = torch.randn(2, 4, 100, 8, dtype=torch.float64)
    results = []
    for backend in ("naive", "tiled"):
        out, found = attend(q, k, v, backend=backend, dropout=dropout, seed=9, summaries=("lse",), **given)
        assert found.lse is not None
        results.append((out, *torch.autograd.grad((out * direction).sum() + found.lse.square().sum(), (q, k, v, *learned))))
    torch.testing.assert_close(*results, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("seed", [None, 3])
def test_dropout_keeps_the_mean_and_is_drawn_anew_without_a_seed(seed: int | None) -> None:
    q, k, v = inputs()
    one, other = (attend(q, k, torch.ones_like(v), dropout=0.5, seed=seed, backend="tiled") for _ in range(2))
    assert torch.equal(one, other) == (seed is not None)
    assert one.mean().item() == pytest.approx(1.0, abs=0.05)


def test_gradcheck_once_and_twice() -> None:
    small = tuple(x.detach()[:1, :, :5, :3].clone().requires_grad_() for x in inputs(groups=4))
    form = lambda q, k, v: attend(q, k, v, mask=Causal(), softcap=2.0, backend="tiled")  # noqa: E731
    assert torch.autograd.gradcheck(form, small)
    assert torch.autograd.gradgradcheck(form, small)


def test_summaries_and_chosen_weights_equal_naive() -> None:
    q, k, v = (x.detach() for x in inputs())
    select = heedful.Select(heads=[2, 0], queries=[-1, 3, 64])
    names = tuple(name for name in SUMMARIES if name != "topk")
    fast, slow = (attend(q, k, v, mask=BAND, return_weights=select, summaries=names, backend=name) for name in ("banded", "naive"))
    torch.testing.assert_close(fast[:2], slow[:2], atol=1e-12, rtol=0)
    for name in names:
        one, other = (vars_of(found)[name] for found in (fast[2], slow[2]))
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-12)


def vars_of(summary: heedful.Summary) -> dict[str, Any]:
    return {
        "entropy": summary.entropy,
        "distance": summary.distance,
        "sinks": summary.sinks,
        "columns": summary.columns,
        "lse": summary.lse,
    }


def test_autocast_computes_in_its_type() -> None:
    q, k, v = inputs(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = attend(q, k, v, mask=BAND, backend="tiled")
        out.float().sum().backward()
    assert out.dtype == torch.bfloat16
    assert q.grad is not None
    assert q.grad.dtype == torch.float32
    torch.testing.assert_close(out.float(), attend(q, k, v, mask=BAND, backend="naive"), atol=0.03, rtol=0.03)


def test_scratch_made_in_inference_mode_serves_training() -> None:
    q, k, v = inputs(k_len=1111)
    mask = Causal() & Window(777)
    with torch.inference_mode():
        first = attend(q, k, v, mask=mask, backend="tiled")
    out = attend(q, k, v, mask=mask, backend="tiled")
    out.sum().backward()
    assert torch.equal(out.detach(), first.clone())


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # torch.func.jvp's own
def test_transforms_and_forward_derivatives_take_another_way() -> None:
    q, k, v = (x.detach() for x in inputs())
    loss = lambda q: attend(q, k, v, softcap=2.0).sum()  # noqa: E731
    expected = torch.autograd.grad(loss(q.requires_grad_()), q)[0]
    torch.testing.assert_close(torch.func.grad(loss)(q.detach()), expected)
    _, along = torch.func.jvp(loss, (q.detach(),), (torch.ones_like(q),))
    torch.testing.assert_close(along, expected.sum())


@pytest.mark.parametrize(
    ("given", "reason"), [({"weighting": "sparsemax"}, "softmax"), ({"softcap": 2.0, "score": Biased(4, radius=3)}, "softcap")]
)
def test_what_it_cannot_do_it_says(given: dict[str, Any], reason: str) -> None:
    q, k, v = inputs(dtype=torch.float32)
    with pytest.raises(heedful.HeedfulError, match=reason):
        attend(q, k, v, backend="tiled", **given)


def test_banded_is_for_masks() -> None:
    q, k, v = inputs()
    with pytest.raises(heedful.HeedfulError, match="no mask"):
        attend(q, k, v, backend="banded")


def test_no_query_and_no_key() -> None:
    q, k, v = inputs()
    assert attend(q[:, :, :0], k, v, backend="tiled").shape == (2, 4, 0, 8)
    out = attend(q, k[:, :, :0], v[:, :, :0], backend="tiled")
    assert torch.equal(out, torch.zeros_like(out))
    out.sum().backward()


def test_a_mask_written_to_is_read_again() -> None:
    q, k, v = inputs()
    table = torch.ones(100, 130, dtype=torch.bool)
    mask = Dense(table)
    attend(q, k, v, mask=mask, backend="tiled")
    table[:, 50:] = False
    torch.testing.assert_close(attend(q, k, v, mask=mask, backend="tiled"), attend(q, k[:, :, :50], v[:, :, :50], backend="naive"))


def test_traced_whole() -> None:
    env = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "attention.backends.traced_tiles"]
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=TESTS, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
