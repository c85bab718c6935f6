from __future__ import annotations

from typing import Any

import pytest
import torch

from heedful.errors import ShapeError
from heedful.layers.cache import KVCache, WindowCache
from heedful.layers.recurrent import PastAttention
from heedful.masks import Causal, Prefix, Window


@pytest.mark.parametrize("strict", [True, False])
def test_reads_the_past_only(strict: bool) -> None:
    layer, states = PastAttention(6, strict=strict), torch.randn(2, 5, 6, requires_grad=True)
    context, trace = layer(states, trace=True)
    allowed = torch.ones(5, 5, dtype=torch.bool).tril(-1 if strict else 0)
    assert torch.equal(trace.weights > 0, allowed.expand_as(trace.weights))
    expected = (states @ states.mT / 6**0.5).masked_fill(~allowed, -torch.inf).softmax(-1).nan_to_num(0.0) @ states
    torch.testing.assert_close(context, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(layer(states), context, atol=1e-5, rtol=1e-5)
    assert bool(context[:, 0].any()) is not strict
    layer(states).sum().backward()
    assert states.grad is not None
    assert states.grad.isfinite().all()


def test_a_window_counts_the_past_states_read() -> None:
    for strict in (True, False):
        _, trace = PastAttention(6, strict=strict, window=2)(torch.randn(1, 7, 6), trace=True)
        assert (trace.weights > 0).sum(-1)[0, 0, 3:].tolist() == [2] * 4


@pytest.mark.parametrize(
    "options",
    [{}, {"strict": False, "position": "alibi"}, {"score": "additive"}, {"score": "cosine", "position": "rope"}, {"window": 2}],
    ids=str,
)
def test_steps_equal_the_full_pass(options: dict[str, Any]) -> None:
    layer, states = PastAttention(6, max_length=9, **options).double(), torch.randn(2, 9, 6, dtype=torch.float64)
    whole, left = layer(states), ~Prefix(torch.tensor([0, 2]))
    for cache in (KVCache(), WindowCache(3 if "window" in options else 9)):
        with torch.no_grad():
            found = torch.cat([layer(states[:, a:b], cache=cache) for a, b in ((0, 2), (2, 3), (3, 7), (7, 9))], dim=1)
        torch.testing.assert_close(found, whole, rtol=0, atol=1e-12)
    real = left.dense(1, 9)[:, 0, 0]
    torch.testing.assert_close(layer(states, real=real)[1:, 2:], layer(states[1:, 2:]), rtol=0, atol=1e-12)


def test_the_mask_is_what_it_says() -> None:
    assert str(PastAttention(6).mask) == str(Causal() & ~Window(1))
    with pytest.raises(ShapeError, match=r"states \(b, t, 6\)"):
        PastAttention(6)(torch.randn(2, 5, 4))
