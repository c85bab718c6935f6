from __future__ import annotations

import math

import pytest
import torch

from heedful.tasks.classify.calibrate import BOUNDS, temperature_of, threshold_for


def drawn() -> tuple[torch.Tensor, torch.Tensor]:
    logits = torch.randn(2000, 3, dtype=torch.float64) * 2
    return logits, torch.multinomial(logits.softmax(1), 1).squeeze(1)


def test_scores_that_are_too_sure_are_cooled_by_as_much() -> None:
    logits, labels = drawn()
    one = temperature_of(logits, labels)
    assert temperature_of(logits * 3, labels) == pytest.approx(3 * one, rel=1e-6)
    # The labels were drawn at temperature 1: its estimate scatters by about one over the root of the information, here 0.04.
    assert one == pytest.approx(1.0, abs=0.2)


def test_no_other_temperature_is_better() -> None:
    logits, labels = drawn()
    texts = len(labels)
    wanted = torch.full_like(logits, 1 / (2 * (texts + 2))).scatter(1, labels[:, None], (texts + 1) / (texts + 2))  # Platt's targets
    best = temperature_of(logits * 2, labels)
    nats = [float(-(wanted * (logits * 2 / t).log_softmax(1)).sum()) for t in (best * 0.99, best, best * 1.01)]
    assert nats[1] == min(nats)


def test_scores_that_are_always_right_are_as_sure_as_their_number_allows() -> None:
    logits = torch.tensor([[5.0, 0.0]])
    assert temperature_of(logits, torch.tensor([0])) == pytest.approx(5 / math.log(2), rel=1e-6)  # one of one: two in three
    assert temperature_of(logits, torch.tensor([1])) == pytest.approx(math.exp(BOUNDS[1]), rel=1e-6)


def test_the_threshold_answers_as_many_as_it_may() -> None:
    confidence = torch.tensor([0.9, 0.9, 0.8, 0.7, 0.6])
    right = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0])
    assert threshold_for(confidence, right, 0.75) == pytest.approx(0.7)  # three of four
    assert threshold_for(confidence, right, 0.5) == pytest.approx(0.6)
    assert threshold_for(confidence, right, 0.9) == math.inf  # the two surest are as sure as each other, and one of them is wrong
