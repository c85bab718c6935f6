"""Learned spans: the published formula, the same by every backend, and windows that shut out only what has no weight."""

from __future__ import annotations

import pytest
import torch

from heedful.attention.attend import attend
from heedful.attention.positions.alibi import ALiBi
from heedful.attention.positions.position import Position
from heedful.attention.positions.rope import RoPE
from heedful.errors import ShapeError, UsageError
from heedful.layers.cache import KVCache
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.span import AdaptiveSpan, Within
from heedful.masks import Causal

SPANS = torch.tensor([0.0, 0.1, 0.3, 1.0])


def spanned(inner: Position | None = None, longest: int = 96, ramp: int = 8) -> AdaptiveSpan:
    span = AdaptiveSpan(4, longest, ramp, inner=inner)
    with torch.no_grad():
        span.span.copy_(SPANS)
    return span


def test_it_is_the_published_formula() -> None:
    span = spanned()
    q, k, v = (torch.randn(2, 4, 96, 8, dtype=torch.float64) for _ in range(3))
    distance = (torch.arange(96)[:, None] - torch.arange(96)).abs()
    soft = ((span.ramp + span.tokens()[:, None, None] - distance) / span.ramp).clamp(0, 1).double().detach()
    weights = soft * (q @ k.mT / 8**0.5).exp() * (torch.arange(96)[:, None] >= torch.arange(96))
    expected = weights / weights.sum(-1, keepdim=True) @ v
    torch.testing.assert_close(attend(q, k, v, mask=Causal(), position=span, backend="naive"), expected, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("inner", [None, RoPE(), ALiBi()])
def test_a_layer_is_the_same_by_tiles_and_as_written_with_gradients(causal: bool, inner: Position | None) -> None:
    layer = MultiHeadAttention(32, 4, mask="causal" if causal else None, position=spanned(inner))
    x = torch.randn(2, 96, 32)
    found = []
    for backend in ("tiled", "naive"):
        layer.backend = backend
        layer.zero_grad()
        out = layer(x)
        out.square().sum().backward()
        assert isinstance(layer.position, AdaptiveSpan)
        found.append((out.detach(), layer.position.span.grad, layer.out_proj.weight.grad))
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two, atol=1e-4, rtol=1e-4)


def test_the_windows_shut_out_only_what_has_no_weight() -> None:
    layer = MultiHeadAttention(32, 4, mask="causal", position=spanned())
    x = torch.randn(1, 96, 32)
    narrow = layer(x)
    assert isinstance(layer.position, AdaptiveSpan)
    reach = layer.position.reach()
    assert reach == Within((32, 32, 64, 128))
    layer.position.reach = lambda: None  # type: ignore[method-assign]
    torch.testing.assert_close(narrow, layer(x), atol=1e-6, rtol=1e-6)
    assert AdaptiveSpan(2, 96, start=1.0).reach() is None


def test_steps_through_a_cache_equal_the_full_pass() -> None:
    layer = MultiHeadAttention(32, 4, mask="causal", position=spanned(RoPE())).eval()
    x, cache = torch.randn(1, 96, 32), KVCache()
    with torch.no_grad():
        steps = torch.cat([layer(x[:, t : t + 12], cache=cache) for t in range(0, 96, 12)], dim=1)
        torch.testing.assert_close(steps, layer(x), atol=1e-5, rtol=1e-5)


def test_spend_is_the_share_of_pairs() -> None:
    span = AdaptiveSpan(1, 1000, ramp=1, start=0.249)
    assert span.windows() == (250,)
    counted = (Causal() & Within((250,))).density(1000, 1000) / Causal().density(1000, 1000)
    assert span.spend().item() == pytest.approx(counted, abs=2e-3)
    assert AdaptiveSpan(3, 10, start=1.0).spend().item() == 1.0


def test_each_head_has_its_own_window() -> None:
    mask = Within((1, 3, 100))
    table = mask.dense(9, 9)[0]
    distance = (torch.arange(9)[:, None] - torch.arange(9)).abs()
    assert all(torch.equal(table[i], distance < size) for i, size in enumerate((1, 3, 100)))
    q, k, v = (torch.randn(1, 3, 70, 8, requires_grad=True) for _ in range(3))
    found = [attend(q, k, v, mask=mask, backend=backend) for backend in ("banded", "naive")]
    torch.testing.assert_close(*found)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match=r"within \[0, 1\]"):
        AdaptiveSpan(2, 10, start=1.5)
    with pytest.raises(ShapeError, match="heads=2"):
        AdaptiveSpan(2, 10).bias(3, torch.arange(2), torch.arange(2))
    with pytest.raises(UsageError, match="1 or more"):
        Within((0,))
