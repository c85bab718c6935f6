"""Rationales as targets of attention: the loss by hand, and what training with it does to what is read."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.data.labelled.batches import TextBatch
from heedful.errors import UsageError
from heedful.layers.trace import Trace
from heedful.models.classifier import ClassifierOutput
from heedful.models.classifiers import build_classifier
from heedful.spec import EncoderSpec
from heedful.spec.train import TrainSpec
from heedful.train.objective import class_of, reasoned_class_of, reasons

LABELS = ("no", "yes")


def test_the_loss_is_the_cross_entropy_of_what_is_read() -> None:
    pooled = torch.tensor([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]])
    heads = torch.tensor([[[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]]]).expand(2, 2, 3, 3)
    marks = torch.tensor([[False, True, True], [False, False, False]])
    logits = torch.zeros(2, 2)
    alone = reasons(ClassifierOutput(logits, pooled=pooled), marks)
    assert float(alone) == pytest.approx(-0.5 * (math.log(0.5) + math.log(1e-9)), rel=1e-6)
    through = reasons(ClassifierOutput(logits, traces=(Trace(heads),), pooled=pooled), marks)
    assert float(through) == pytest.approx(-0.5 * (math.log(0.5 * 0.2 + 0.5 * 0.8) + math.log(0.1)), rel=1e-6)
    assert float(reasons(ClassifierOutput(logits, pooled=pooled), torch.zeros(2, 3, dtype=torch.bool))) == 0.0


def test_it_teaches_where_to_look_and_leaves_judging_alone() -> None:
    torch.manual_seed(0)
    model = build_classifier(EncoderSpec(vocabulary=20, labels=LABELS, context=8, width=16, layers=1, heads=2, dropout=0.0))
    ids = torch.randint(2, 20, (64, 6), generator=torch.Generator().manual_seed(0))
    ids[:, 3] = 1
    ids[::2, 3] = 0
    marks = torch.zeros(64, 6, dtype=torch.bool)
    marks[1::2, 3] = True
    batch = TextBatch(ids, torch.full((64,), 6), ids[:, 3], marks)
    objective = reasoned_class_of(1.0)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)

    def read() -> float:
        with torch.no_grad():
            return float(reasons(model.eval()(ids, trace=True), marks))

    before = read()
    for _ in range(40):
        loss = objective(model.train(), batch, None).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert read() < before / 2
    model.eval()
    assert torch.equal(objective(model, batch, None).loss, class_of(model, batch, None).loss)
    bare = batch._replace(marks=None)
    assert torch.equal(objective(model.train(), bare, None).loss, class_of(model, bare, None).loss)


def test_it_is_refused_where_nothing_is_read() -> None:
    with pytest.raises(ValueError, match="rationale"):
        TrainSpec(rationale=-1.0)
    with pytest.raises(UsageError, match="guides what"):
        reasons(ClassifierOutput(torch.zeros(1, 2)), torch.ones(1, 3, dtype=torch.bool))
