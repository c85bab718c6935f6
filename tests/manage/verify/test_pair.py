from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch import nn

from heedful.errors import UsageError
from heedful.manage.objective import token_losses
from heedful.manage.verify.bound import upper_bound
from heedful.manage.verify.judge import blocks, judged
from heedful.manage.verify.pair import alone, pairs
from heedful.manage.verify.slices import slices
from manage.verify.texts import batches_of, model_of


@contextmanager
def louder(model: nn.Module):  # type: ignore[no-untyped-def]
    """A model whose predictions are sharper: what a plan changes."""
    with torch.no_grad():
        before = model.embedding.weight.clone()
        try:
            model.embedding.weight.mul_(1.1)
            yield
        finally:
            model.embedding.weight.copy_(before)


def test_differences_are_those_of_the_two_models() -> None:
    model = model_of()
    batches = batches_of(model, 2, 3, 5)
    found = list(pairs(model, lambda: louder(model), batches))
    assert len(found) == 6
    dense = token_losses(model, batches[1])
    with louder(model):
        thin = token_losses(model, batches[1])
    p, q = dense.logits.log_softmax(-1), thin.logits.log_softmax(-1)
    np.testing.assert_allclose(found[4].lost, (thin.nll - dense.nll)[1].detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(found[4].kl, (p.exp() * (p - q)).sum(-1)[1].detach().numpy(), atol=1e-5)
    assert found[4].agrees.tolist() == (p.argmax(-1) == q.argmax(-1))[1].tolist()
    again = list(pairs(model, lambda: louder(model), batches, dense=alone(model, batches)))
    np.testing.assert_allclose(again[4].lost, found[4].lost, atol=1e-9)
    assert len(again[4].kl) == 0


def test_only_places_that_count_are_compared() -> None:
    model = model_of()
    batch = batches_of(model, 1, 2, 5)[0]
    batch["labels"][0, 40:] = -100
    batch["labels"][1, :] = -100
    found = list(pairs(model, lambda: louder(model), [batch], start=10))
    assert len(found) == 1
    assert found[0].place.tolist() == list(range(10, 40))
    assert found[0].length == 40
    with pytest.raises(UsageError, match="longer sequences would work"):
        list(pairs(model, lambda: louder(model), [batch], start=50))


def test_errors_are_counted_by_the_first_choice() -> None:
    model = model_of()
    batches = batches_of(model, 1, 2, 5)
    found = list(pairs(model, lambda: louder(model), batches, metric="error"))
    first = model(batches[0]["input_ids"]).logits.argmax(-1) != batches[0]["labels"]
    assert found[0].dense.tolist() == first[0].float().tolist()
    assert set(np.concatenate([pair.lost for pair in found])) <= {-1.0, 0.0, 1.0}


def test_slices_are_parts_of_the_whole() -> None:
    model = model_of()
    batches = batches_of(model, 2, 4, 5) + batches_of(model, 2, 4, 6, length=20)
    found = list(pairs(model, lambda: louder(model), batches))
    cut = slices(found)
    total = judged(found, 0.95)
    for axis in ("position", "length"):
        some = [one for one in cut if one.axis == axis]
        assert sum(one.places for one in some) == total.tokens
        assert sum(one.mean * one.places for one in some) == pytest.approx(total.bound.mean * total.tokens)
    by_length = [one for one in cut if one.axis == "length"]
    assert [(one.sequences, one.places) for one in by_length] == [(8, 160), (8, 512)]


def test_blocks_hold_every_place_once() -> None:
    lost = np.arange(100.0)
    for size in (None, 1, 7, 30, 99, 200):
        cut = blocks(lost, size)
        assert np.concatenate(cut).tolist() == lost.tolist()
        assert size is None or all(len(piece) >= min(size, 100) / 2 for piece in cut)
    model = model_of()
    found = list(pairs(model, lambda: louder(model), batches_of(model, 2, 4, 5)))
    whole, cut = judged(found, 0.95), judged(found, 0.95, block=16)
    assert cut.bound.blocks == 4 * whole.bound.blocks
    assert cut.bound.mean == pytest.approx(whole.bound.mean)
    assert "blocks of about 16 places of 8 sequences" in cut.unit
    sums = np.array([pair.lost.sum() for pair in found])
    assert whole.bound.upper == upper_bound(sums, np.full(8, 64.0)).upper
