from __future__ import annotations

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.layers.recurrent import Reader
from heedful.scores import Concat, Cosine

SCORES = ["dot", "scaled_dot", "cosine", "general", "additive", "concat", "per_channel"]


def test_additive_is_the_papers_formula() -> None:
    reader = Reader(4, 6, "additive", hidden=5).double()
    states, memory = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(2, 7, 6, dtype=torch.float64)
    w_q, w_k, w = (dict(reader.named_parameters())[f"score.{n}"][0] for n in ("query", "key", "weight"))
    energy = torch.tanh((states @ w_q)[:, :, None] + (memory @ w_k)[:, None]) @ w
    weights = energy.softmax(-1)
    context, found = reader(states, memory)
    torch.testing.assert_close(found, weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(context, weights @ memory, rtol=0, atol=1e-12)


def test_per_channel_is_the_articles_formula() -> None:
    reader = Reader(4, 6, "per_channel").double()
    states, memory = torch.randn(2, 1, 4, dtype=torch.float64), torch.randn(2, 7, 6, dtype=torch.float64)
    assert reader.channels is not None
    joined = torch.cat([states.expand(2, 7, 4), memory], dim=-1)
    weights = torch.tanh(joined @ reader.channels.weight[0]).softmax(dim=1)
    context, found = reader(states, memory)
    torch.testing.assert_close(found[:, 0], weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(context[:, 0], (weights * memory).sum(1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("score", SCORES)
def test_padding_changes_nothing_and_an_empty_memory_gives_zeros(score: str) -> None:
    reader = Reader(6, 6, score)
    states, memory = torch.randn(2, 3, 6, requires_grad=True), torch.randn(2, 7, 6)
    real = torch.tensor([[True] * 5 + [False] * 2, [False] * 7])
    context, weights = reader(states, memory, real)
    torch.testing.assert_close(context[:1], reader(states[:1], memory[:1, :5])[0], atol=1e-5, rtol=1e-5)
    assert not weights[1].any()
    assert not context[1].any()
    context.sum().backward()
    assert states.grad is not None
    assert states.grad.isfinite().all()
    assert not states.grad[1].any()


def test_a_score_may_be_an_instance() -> None:
    assert isinstance(Reader(6, 6, Cosine(learnable=True)).score, Cosine)
    assert isinstance(Reader(4, 6, "concat", hidden=9).score, Concat)


def test_every_trainable_parameter_gets_a_gradient() -> None:
    for score in SCORES:
        reader = Reader(6, 6, score)
        reader(torch.randn(1, 2, 6, requires_grad=True), torch.randn(1, 3, 6))[0].square().sum().backward()
        assert all(p.grad is not None for p in reader.parameters() if p.requires_grad), score


def test_what_does_not_fit_is_refused() -> None:
    reader = Reader(4, 6)
    with pytest.raises(ShapeError, match=r"states \(b, q, 4\) and a memory \(b, t, 6\)"):
        reader(torch.randn(1, 2, 4), torch.randn(1, 3, 5))
    with pytest.raises(ShapeError, match=r"real is \(b, t\)"):
        reader(torch.randn(1, 2, 4), torch.randn(1, 3, 6), torch.ones(1, 2, dtype=torch.bool))
    with pytest.raises(UsageError, match="did you mean 'general'"):
        Reader(4, 6, "generla")
    with pytest.raises(ShapeError, match="one width"):
        Reader(4, 6, "dot")(torch.randn(1, 2, 4), torch.randn(1, 3, 6))
