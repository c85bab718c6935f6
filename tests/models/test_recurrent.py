"""The recurrent model: looks back only, steps equal the whole pass, carries its past, ties its weights."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.errors import UsageError
from heedful.models.recurrent import RecurrentLM
from heedful.spec import MechanismSpec, RecurrentSpec

SMALL = {"vocabulary": 11, "embedding": 8, "hidden": 12, "context": 6}
SCORES = ["scaled_dot", "additive", "general", "cosine"]


def model(**fields: object) -> RecurrentLM:
    torch.manual_seed(0)
    return RecurrentLM(RecurrentSpec(**{**SMALL, **fields})).eval()  # type: ignore[arg-type]


def ids(t: int, batch: int = 2) -> torch.Tensor:
    return torch.randint(11, (batch, t), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("attention", [None, *SCORES])
def test_no_place_sees_a_later_token(attention: str | None) -> None:
    lm, tokens = model(attention=MechanismSpec(attention) if attention else None), ids(9)
    changed = tokens.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 11
    before, after = lm(tokens).logits, lm(changed).logits
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.allclose(before[:, 5:], after[:, 5:])


@pytest.mark.parametrize("attention", [None, *SCORES])
def test_steps_through_a_cache_equal_the_whole_pass(attention: str | None) -> None:
    lm, tokens = model(attention=MechanismSpec(attention) if attention else None), ids(9)
    cache = lm.new_cache()
    parts = [lm(piece, cache=cache).logits for piece in tokens.split([4, 1, 1, 3], dim=1)]
    assert torch.allclose(torch.cat(parts, dim=1), lm(tokens).logits, atol=1e-6)
    assert cache.length == 9


def test_a_window_holds_that_many_past_states_and_no_more() -> None:
    lm, tokens = model(), ids(12)
    steps, chunk = lm.new_cache(window=3), lm.new_cache(window=3)
    stepped = torch.cat([lm(token, cache=steps).logits for token in tokens.split(1, dim=1)], dim=1)
    chunked = torch.cat([lm(piece, cache=chunk).logits for piece in tokens.split(4, dim=1)], dim=1)
    assert torch.allclose(stepped, chunked, atol=1e-6)
    assert not torch.allclose(stepped, lm(tokens).logits, atol=1e-4)
    assert steps.memory is not None
    assert steps.memory[2].shape[1] == 3


def test_weights_are_over_the_strict_past() -> None:
    weights = model()(ids(5), trace=True).traces[0].weights[0, 0]
    assert torch.equal(weights[0], torch.zeros(5))
    assert torch.allclose(weights[1:].sum(-1), torch.ones(4))
    assert torch.equal(weights.triu(0), torch.zeros(5, 5))


def test_a_memory_carries_state_and_past_without_gradient() -> None:
    lm, tokens = model(context=6), ids(6)
    first, second = tokens.split(3, dim=1)
    memory = lm(first).memory
    assert all(not part.requires_grad for part in memory)
    assert torch.allclose(lm(second, memory=memory).logits, lm(tokens).logits[:, 3:], atol=1e-6)


def test_memory_keeps_no_more_than_a_context() -> None:
    assert model(context=6)(ids(20)).memory[2].shape[1] == 6


def test_reordered_cache_continues_the_chosen_rows() -> None:
    lm, tokens = model(), ids(4)
    cache = lm.new_cache()
    lm(tokens, cache=cache)
    cache.reorder(torch.tensor([1, 1, 0]))
    again = torch.tensor([[3], [4], [5]])
    whole = lm(torch.cat([tokens[[1, 1, 0]], again], dim=1)).logits[:, -1]
    assert torch.allclose(lm(again, cache=cache).logits[:, -1], whole, atol=1e-6)


def test_loss_is_the_mean_cross_entropy_of_the_labels_that_count() -> None:
    lm, tokens = model(), ids(6)
    labels = tokens.roll(-1, dims=1)
    labels[:, -1] = -100
    out = lm(tokens, labels=labels)
    picked = out.logits.log_softmax(-1)[:, :-1].gather(2, tokens[:, 1:, None])
    assert out.loss is not None
    assert out.loss.item() == pytest.approx(-picked.mean().item(), rel=1e-5)
    assert out.loss.item() == pytest.approx(math.log(11), rel=0.2)


def test_tied_output_is_the_embedding() -> None:
    lm = model(tied=True)
    assert lm.head is None
    assert sum(p.shape[0] == 11 for p in lm.parameters()) == 1
    with pytest.raises(UsageError, match="tied"):
        model(tied=True, attention=None)
    assert model(tied=True, attention=None, embedding=12).head is None


def test_a_model_needs_a_vocabulary() -> None:
    with pytest.raises(UsageError, match="vocabulary"):
        model(vocabulary=0)
