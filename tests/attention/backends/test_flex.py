"""FlexAttention's terms, in its form for checks, against the whole matrix. (The compiled kernel needs a GPU.)"""

from __future__ import annotations

from typing import Any

import pytest
import torch

import heedful
from heedful.attention.attend import attend
from heedful.attention.backends import flex
from heedful.attention.backends.flex import blocks_of
from heedful.attention.resolve import resolve
from heedful.errors import Unsupported
from heedful.masks import Causal, Dense, Documents, Mask, Padding, Sinks, Window

EMPTY = torch.ones(2, 1, 6, 9, dtype=torch.bool)
EMPTY[1, :, 2] = False
CASES: tuple[tuple[Mask | None, dict[str, Any]], ...] = (
    (None, {}),
    (Causal() & (Sinks(1) | Window(3)), {"softcap": 2.0}),
    (Documents(torch.arange(9)[None] // 4) & Causal(), {"position": "rope", "bias": torch.linspace(-1, 1, 9)}),
    (Padding(torch.tensor([9, 4])), {"position": "alibi", "temperature": torch.tensor([0.5, 1.0, 2.0, 3.0])}),
    (Dense(EMPTY), {"sink_logits": torch.tensor([0.0, 1.0, -1.0, 2.0])}),
    (None, {"score": heedful.scores.Biased(4, radius=3), "softcap": 1.5, "position": heedful.positions.T5RelativeBias(4)}),
    (Causal(), {"score": heedful.scores.QueryBiased(16, 9, 4, residual=True), "bias": torch.ones(2, 1, 6, 1)}),
)


@pytest.mark.parametrize(("mask", "options"), CASES, ids=lambda part: str(part) if isinstance(part, Mask) else "")
def test_equals_naive(mask: Mask | None, options: dict[str, Any]) -> None:
    q, k, v = (torch.randn(2, h, t, 16) for h, t in ((4, 6), (2, 9), (2, 9)))
    for module in options.values():
        if isinstance(module, torch.nn.Module):
            for parameter in module.parameters():
                torch.nn.init.normal_(parameter)
    with torch.no_grad():
        fast, slow = (attend(q, k, v, mask=mask, backend=backend, **options) for backend in ("flex", "naive"))
    torch.testing.assert_close(fast, slow, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dropout": 0.1}, "no dropout"),
        ({"return_weights": True}, "no weights"),
        ({"weighting": "entmax15"}, "softmax only"),
        ({}, "no backward on CPU"),
    ],
)
def test_what_it_does_not_serve_it_says(options: dict[str, Any], reason: str) -> None:
    q = torch.randn(1, 2, 3, 16, requires_grad=True)
    with pytest.raises(Unsupported, match=reason):
        attend(q, q, q, backend="flex", **options)


def test_the_kernel_on_cuda_has_limits() -> None:
    wide, narrow = (resolve(*(torch.randn(1, 2, 3, d, dtype=dtype),) * 3, {}) for d, dtype in ((16, torch.bfloat16), (8, torch.float32)))
    double = resolve(*(torch.randn(1, 2, 3, 16, dtype=torch.float64),) * 3, {})
    assert flex.why_not_cuda(wide) is None
    assert "16 wide" in (flex.why_not_cuda(narrow) or "")
    assert "float64" in (flex.why_not_cuda(double) or "")


def test_blocks_are_made_once_and_again_when_a_tensor_is_written_to() -> None:
    lengths = torch.tensor([9, 4])
    q = torch.randn(2, 2, 9, 16)

    def blocks() -> object:
        call = resolve(q, q, q, {"mask": Causal() & Padding(lengths)})
        assert call.mask is not None
        return blocks_of(call.mask, call)

    first = blocks()
    assert blocks() is first
    lengths[0] = 3
    assert blocks() is not first
