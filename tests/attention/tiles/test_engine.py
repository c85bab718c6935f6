"""The torch engine against the work as it is written: outputs, summaries, weights and every gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from heedful.attention.schedule.cache import schedule
from heedful.attention.select import Select
from heedful.attention.summary import SUMMARIES, summarise
from heedful.attention.tiles.backward import backward
from heedful.attention.tiles.forward import forward
from heedful.attention.tiles.function import gradients_of, tensors_of
from heedful.attention.tiles.naive import dense, naive, weighed
from heedful.attention.tiles.scratch import Scratch
from heedful.attention.tiles.work import TENSORS, Given, Wanted, Work
from heedful.masks import Causal, Dense, Mask, Random, Sinks, Strided, Window

B, H, D, V = 2, 4, 16, 12
LENGTHS = ((200, 200), (100, 333), (300, 130), (1, 70), (64, 64))


def masks(q_len: int, k_len: int) -> dict[str, Mask | None]:
    gen = torch.Generator().manual_seed(4)
    return {
        "none": None,
        "causal": Causal(),
        "band": Causal() & Window(70),
        "sinks": Causal() & (Window(20) | Sinks(3)),
        "random": Random(5, seed=1),
        "sparse": Dense(torch.rand(B, H, q_len, k_len, generator=gen) < 0.05),
        "strided": Strided(7),
    }


TERMS = ("plain", "capped", "placed", "dropped")


def terms(name: str, q_len: int, k_len: int) -> dict[str, Any]:
    """What is added to the plain work."""
    random = lambda *size: torch.randn(*size, dtype=torch.float64)  # noqa: E731
    return {
        "plain": {"factor": 0.25},
        "capped": {"softcap": 2.0, "sink_logits": random(H), "factor": random(H).abs()},
        "placed": {"bias": random(1, H, q_len, 1), "relative": random(H, q_len + k_len - 1)},
        "dropped": {"bias": random(B, 1, 1, k_len), "relative": random(1, q_len + k_len - 1), "dropout": 0.3, "seed": 5},
    }[name]


def work_of(lengths: tuple[int, int], mask: str, term: str, groups: int = 2, dtype: torch.dtype = torch.float64) -> Work:
    q_len, k_len = lengths
    rule = masks(q_len, k_len)[mask]
    q, k, v = (torch.randn(*size, dtype=dtype) for size in ((B, H, q_len, D), (B, groups, k_len, D), (B, groups, k_len, V)))
    found = None if rule is None else schedule(rule.over(B, H), B, H, q_len, k_len, torch.device("cpu"))
    return Work(q, k, v, schedule=found, **terms(term, q_len, k_len))


@pytest.fixture(autouse=True)
def scratch_of_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that is used again holds NaN wherever it was not written."""
    take = Scratch.take

    def poisoned(self: Scratch, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        return take(self, name, shape, like).fill_(float("nan"))

    monkeypatch.setattr(Scratch, "take", poisoned)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("mask", masks(1, 1))
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_finds_what_the_formula_gives(lengths: tuple[int, int], mask: str, term: str) -> None:
    work = work_of(lengths, mask, term)
    out, lse = naive(work)
    weights = weighed(work)[0]
    found = forward(work, Wanted(SUMMARIES, Select()))
    right = summarise(weights, lse, SUMMARIES)
    close = lambda a, b: torch.testing.assert_close(a, b, atol=1e-11, rtol=1e-11)  # noqa: E731
    for mine, expected in (
        (found.out, out),
        (found.lse, lse),
        (found.weights, weights),
        (found.entropy, right.entropy),
        (found.distance, right.distance),
        (found.sinks, right.sinks),
        (found.columns, right.columns),
    ):
        close(mine, expected)
    assert right.topk is not None
    assert found.top_keys is not None
    close(found.top_weights, right.topk[0])
    held = right.topk[0] > 0
    close(weights.gather(-1, found.top_keys)[held], right.topk[0][held])


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("mask", masks(1, 1))
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_gradients_are_those_of_the_formula(lengths: tuple[int, int], mask: str, term: str) -> None:
    work = work_of(lengths, mask, term)
    leaves = [x.requires_grad_() for x in tensors_of(work) if x is not None]
    out, lse = naive(work)
    d_out, d_lse = torch.randn_like(out), torch.randn_like(lse).masked_fill(lse == float("-inf"), 0.0)
    expected = torch.autograd.grad((out * d_out).sum() + (lse * d_lse).nan_to_num(0.0).sum(), leaves)
    with torch.no_grad():
        found = gradients_of(backward(work, Given(out.detach(), lse.detach(), d_out, d_lse)))
    torch.testing.assert_close([x for x in found if x is not None], list(expected), atol=1e-10, rtol=1e-10)


def test_only_what_is_needed_is_summed() -> None:
    work = work_of((100, 333), "none", "placed")
    out, lse = naive(work)
    found = backward(work, Given(out, lse, torch.randn_like(out), None, ("q",)))
    assert found.q is not None
    assert found.bias is None
    assert found.relative is None
    assert len(gradients_of(found)) == len(TENSORS)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    work = work_of((200, 200), "band", "plain", dtype=dtype)
    exact = replace(work, q=work.q.double(), k=work.k.double(), v=work.v.double())
    found = forward(work, Wanted())
    assert found.out.dtype == dtype
    assert found.lse.dtype == torch.float32
    torch.testing.assert_close(found.lse.double(), naive(exact)[1], atol=1e-5, rtol=1e-5)
    off = (found.out.double() - naive(exact)[0]).abs().max()
    assert off <= torch.finfo(dtype).eps * naive(exact)[0].abs().max()


def test_any_strides() -> None:
    work = work_of((200, 200), "sinks", "plain", groups=H)
    strided = replace(work, q=work.q.transpose(1, 2).contiguous().transpose(1, 2), k=work.k.mT.contiguous().mT, v=work.v.flip(0).flip(0))
    torch.testing.assert_close(forward(strided, Wanted()).out, forward(work, Wanted()).out, atol=1e-13, rtol=0)


def test_a_schedule_and_its_table_say_the_same() -> None:
    for lengths in LENGTHS:
        for name, rule in masks(*lengths).items():
            found = work_of(lengths, name, "plain").schedule
            if rule is not None and found is not None:
                assert torch.equal(dense(found).expand(B, H, *lengths), rule.over(B, H).dense(*lengths).expand(B, H, *lengths))
