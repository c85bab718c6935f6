from __future__ import annotations

import math

import pytest
import torch

from heedful.data.batches import Batch, whole
from heedful.train.metrics import IGNORED, Tally, perplexity, scores, tally
from train.toy import TEXT, Said, Toy, tokens


def test_a_uniform_model_scores_what_it_must() -> None:
    found = scores(Tally(nats=50 * math.log(8), tokens=50, correct=5), characters=150)
    assert found.loss == pytest.approx(math.log(8))
    assert found.perplexity == pytest.approx(8)
    assert found.bits_per_character == pytest.approx(1)
    assert found.accuracy == 0.1


def test_sums_do_not_depend_on_the_batch() -> None:
    tokenizer = tokens()
    ids = tokenizer.encode(TEXT)[:501]
    model = Toy(tokenizer.size)
    one, many = tally(model, whole(ids, 1, 8)), tally(model, whole(ids, 16, 8))
    assert (one.tokens, one.correct) == (many.tokens, many.correct)
    assert one.tokens == 500
    assert one.nats == pytest.approx(many.nats, rel=1e-6)


def test_carrying_a_state_along_equals_one_long_pass() -> None:
    tokenizer = tokens()
    ids = tokenizer.encode(TEXT)[:33]
    model = Toy(tokenizer.size)
    assert tally(model, whole(ids, 1, 8, carry=True)).nats == pytest.approx(tally(model, whole(ids, 1, 32)).nats, rel=1e-5)


def test_the_model_is_left_as_it_was() -> None:
    tokenizer = tokens()
    model = Toy(tokenizer.size)
    batches = list(whole(tokenizer.encode(TEXT)[:100], 4, 8))
    for training in (True, False):
        model.train(training)
        assert tally(model, batches) == tally(model, batches)
        assert model.training is training
    assert all(weight.grad is None for weight in model.parameters())


class Sure(torch.nn.Module):
    """Always expects token 1."""

    def forward(self, ids: torch.Tensor, *, labels: torch.Tensor, memory: object = None) -> Said:
        logits = torch.zeros(*ids.shape, 3)
        logits[..., 1] = 5.0
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
        return Said(loss, logits, None)


def test_ignored_labels_do_not_count() -> None:
    ids = torch.zeros(1, 4, dtype=torch.long)
    labels = torch.tensor([[1, IGNORED, 2, IGNORED]])
    found = tally(Sure(), [Batch(ids, labels), Batch(ids, torch.full_like(ids, IGNORED))])
    assert (found.tokens, found.correct) == (2, 1)
    assert found.nats == pytest.approx(2 * math.log(math.exp(5) + 2) - 5, rel=1e-6)


def test_a_hopeless_loss_has_an_infinite_perplexity() -> None:
    assert perplexity(1e4) == math.inf
