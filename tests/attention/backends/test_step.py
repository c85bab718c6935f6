"""The compiled way of decode, against the whole matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from contract.bounds import bound, distance, visible
from heedful.attention.attend import attend
from heedful.attention.backends import decode, step
from heedful.attention.call import Call, Result
from heedful.attention.native import decode as library
from heedful.attention.resolve import resolve
from heedful.masks import Causal, Dense, Dilated, Mask, Padding, Sinks, Window

TYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"softcap": 3.0, "bias": torch.linspace(-1.0, 1.0, 4 * 700, dtype=torch.float64).reshape(4, 1, 700)},
    {"sink_logits": torch.ones(4), "temperature": torch.tensor([0.5, 1.0, 2.0, 3.0]), "scale": 1},
    {"position": "alibi"},
    {"position": "rope"},
    {"score": "cosine", "scale": 5.0},
]
MASKS: tuple[Mask | None, ...] = (
    None,
    Causal() & Window(150),
    Causal() & (Sinks(4) | Window(150)),
    Window(5, ahead=2),
    Dilated(9, 16) | Sinks(1),
    Padding(torch.tensor([7, 400])),
    Dense(torch.rand(2, 4, 1, 700, generator=torch.Generator().manual_seed(0)) > 0.5),
    Sinks(0),
)


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library alone: torch's way would hide what it cannot do. Threads are put back."""
    reason = library.why_not(torch.empty(0))
    if reason is not None:
        pytest.skip(reason)

    def refused(call: Call, slab: object) -> Result:
        raise AssertionError(f"torch's way was taken: {step.why_not(call)}")

    monkeypatch.setattr(decode, "by_torch", refused)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def drawn(q: int, k: int, heads: tuple[int, int] = (4, 2), widths: tuple[int, int] = (16, 16), batch: int = 2) -> list[Tensor]:
    gen = torch.Generator().manual_seed(7)
    sizes = ((heads[0], q, widths[0]), (heads[1], k, widths[0]), (heads[1], k, widths[1]))
    return [torch.randn(batch, *size, generator=gen, dtype=torch.float64) for size in sizes]


def check(inputs: list[Tensor], **options: Any) -> None:
    """No further from the truth than naive, twice."""
    dtype = inputs[0].dtype
    exact, fast = attend(*(x.double() for x in inputs), backend="naive", **options), attend(*inputs, backend="decode", **options)
    assert fast.dtype == dtype
    coarse = [x.to(visible(dtype)) for x in inputs]
    slow, right = (attend(*(x.to(kind) for x in coarse), backend="naive", **options) for kind in (visible(dtype), torch.float64))
    assert distance(fast, exact) <= bound(slow, right, dtype)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(options) or "plain")
@pytest.mark.parametrize("mask", MASKS, ids=str)
def test_errs_no_more_than_naive(mask: Mask | None, options: dict[str, Any], dtype: torch.dtype, request: pytest.FixtureRequest) -> None:
    if mask is MASKS[2] and (options.get("position") == "rope" or "score" in options):
        reason = "keys that are turned first and stand apart are in no one tensor"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    for q in (1, 3):
        check([x.to(dtype) for x in drawn(q, 700)], mask=mask, **options)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("widths", [(1, 1), (8, 100), (33, 40), (64, 64), (160, 7)], ids=str)
@pytest.mark.parametrize("k", [1, 63, 129, 1000])
@pytest.mark.parametrize("q", [1, 5, 8])
def test_odd_sizes(q: int, k: int, widths: tuple[int, int], dtype: torch.dtype) -> None:
    check([x.to(dtype) for x in drawn(q, k, (6, 2), widths)], mask=Causal())


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("heads", [(1, 1), (3, 1), (4, 4), (8, 2)], ids=str)
@pytest.mark.parametrize("mask", [None, Causal() & (Sinks(130) | Window(3000))], ids=str)
def test_however_the_keys_are_shared_out(mask: Mask | None, heads: tuple[int, int], threads: int) -> None:
    torch.set_num_threads(threads)
    for dtype in (torch.float32, torch.bfloat16):
        check([x.to(dtype) for x in drawn(2, 5000, heads, (32, 32), batch=1)], mask=mask, sink_logits=torch.zeros(heads[0]))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_layouts(dtype: torch.dtype) -> None:
    """By places with the heads side by side; a part of a longer cache; an axis that is not dense."""
    q, k, v = (x.to(dtype) for x in drawn(2, 300))
    beside = [x.transpose(1, 2).contiguous().transpose(1, 2) for x in (q, k, v)]
    longer = [q, *(torch.cat([x, x], dim=2)[:, :, :300] for x in (k, v))]
    loose = [torch.stack([x, x], dim=-1)[..., 0] for x in (q, k, v)]
    plain = attend(q, k, v, mask=Causal(), backend="decode")
    for inputs in (beside, longer, loose):
        torch.testing.assert_close(attend(*inputs, mask=Causal(), backend="decode"), plain, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("mask", MASKS, ids=str)
def test_log_sum_exp(mask: Mask | None, dtype: torch.dtype) -> None:
    inputs = [x.to(dtype) for x in drawn(2, 700)]
    options: dict[str, Any] = {"mask": mask, "sink_logits": torch.linspace(-1, 1, 4), "summaries": ("lse",)}
    (_, fast), (_, slow) = (attend(*inputs, backend=name, **options) for name in ("decode", "naive"))
    torch.testing.assert_close(fast.lse, slow.lse)


def test_a_query_that_sees_nothing_gets_nothing() -> None:
    q, k, v = drawn(2, 0)
    assert bool((attend(q, k, v, backend="decode") == 0).all())
    q, k, v = drawn(4, 2)  # the first two stand before the first key
    out, summary = attend(q, k, v, mask=Causal(), summaries=("lse",), backend="decode")
    assert bool((out[:, :, :2] == 0).all())
    assert bool((summary.lse[:, :, :2] == -torch.inf).all())
    assert bool(out[:, :, 2:].all())
    assert bool(summary.lse[:, :, 2:].isfinite().all())


def test_scores_far_apart_and_not_numbers() -> None:
    q, k, v = (x.float() for x in drawn(1, 300))
    check([1000 * q, k, v])
    check([q, k, v], bias=torch.full((300,), -torch.inf).index_fill(0, torch.tensor([7, 290]), 0.0))
    k[0, 0, 5] = torch.nan
    out = attend(q, k, v, backend="decode")
    assert bool(out[0, :2].isnan().all())
    assert bool(out[0, 2:].isfinite().all())
    assert bool(out[1].isfinite().all())


def test_the_same_however_often() -> None:
    q, k, v = (x.bfloat16() for x in drawn(1, 4000))
    once, *others = (attend(q, k, v, backend="decode") for _ in range(5))
    assert all(torch.equal(once, other) for other in others)


def test_ranges_are_remembered_for_each_mask_and_length() -> None:
    mask = Causal() & Window(3)
    assert step.remembered(mask, 1, 10) == step.remembered(mask, 1, 10) == ((7, 10),)
    assert step.remembered(mask, 1, 11) == ((8, 11),)
    assert step.remembered(mask, 2, 11) is None  # the two see not the same
    assert (id(mask), 1, 11) in step.KNOWN
    padding = Padding(torch.tensor([3, 4]))
    assert step.remembered(padding, 1, 4) is None
    assert (id(padding), 1, 4) not in step.KNOWN


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"weighting": "sparsemax"}, "softmax"),
        ({"return_weights": True}, "no weights"),
        ({"summaries": ("entropy",)}, "log-sum-exp alone"),
        ({"bias": torch.zeros(1, requires_grad=True)}, "no gradients"),
        ({"scale": torch.ones(3, 1)}, "from query to query"),
    ],
)
def test_what_it_leaves_to_torch(options: dict[str, Any], reason: str) -> None:
    inputs = drawn(3, 20)
    asked = {name: value for name, value in options.items() if name not in ("return_weights", "summaries")}
    call = resolve(*inputs, asked, options.get("return_weights", False), options.get("summaries", ()))  # type: ignore[arg-type]
    said = step.why_not(call)
    assert said is not None
    assert reason in said
    with pytest.raises(AssertionError, match="torch's way was taken"):
        attend(*inputs, backend="decode", **options)


def test_what_is_watched_or_turned_into_another_type_is_left_to_torch() -> None:
    q, k, v = (x.float() for x in drawn(1, 20))
    with torch.autocast("cpu"):
        assert "autocast" in (step.why_not(resolve(q, k, v, {})) or "")
    with FlopCounterMode(display=False):
        assert "watches" in (step.why_not(resolve(q, k, v, {})) or "")
    assert step.why_not(resolve(q, k, v, {})) is None
    assert step.why_not(resolve(q.requires_grad_(), k, v, {})) == "it has no gradients"
