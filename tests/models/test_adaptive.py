"""The adaptive softmax: a distribution over all words, its loss the one of that distribution, cheap in training."""

from __future__ import annotations

import pytest
import torch

from heedful.errors import ShapeError, UsageError
from heedful.models.adaptive import AdaptiveHead
from heedful.models.build import build
from heedful.spec.model import DecoderSpec, ModelSpec, RecurrentSpec

SPECS: tuple[ModelSpec, ...] = (
    DecoderSpec(vocabulary=50, context=8, width=16, layers=1, heads=2, tied=False, adaptive=(10, 30)),
    RecurrentSpec(vocabulary=50, context=8, embedding=8, hidden=16, adaptive=(10, 30)),
)


def test_it_is_a_distribution_and_the_loss_is_its_own() -> None:
    head = AdaptiveHead(16, 50, (10, 30))
    x, labels = torch.randn(2, 7, 16), torch.randint(50, (2, 7))
    logits = head.logits(x)
    torch.testing.assert_close(logits.exp().sum(-1), torch.ones(2, 7))
    torch.testing.assert_close(head.loss(x, labels), -logits.gather(-1, labels[..., None]).mean())


def test_labels_that_do_not_count_are_left_out() -> None:
    head = AdaptiveHead(16, 50, (10, 30))
    x, labels = torch.randn(1, 4, 16), torch.tensor([[1, -100, 40, -100]])
    torch.testing.assert_close(head.loss(x, labels), head.loss(x[:, [0, 2]], labels[:, [0, 2]]))


@pytest.mark.parametrize("spec", SPECS, ids=lambda s: s.kind)
@pytest.mark.parametrize("half", [False, True], ids=["float32", "autocast"])
def test_models_train_on_the_loss_alone_and_judge_with_logits(spec: ModelSpec, half: bool) -> None:
    model, ids = build(spec), torch.randint(50, (2, 8))
    memory = None
    for _ in range(2):  # the second segment reads the memory of the first
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = model(ids, labels=ids, memory=memory)
        memory = out.memory
    assert out.logits.shape == (2, 0, 50)
    assert out.loss is not None
    out.loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    judged = model.eval()(ids, labels=ids)
    assert judged.loss is not None
    torch.testing.assert_close(judged.loss, -judged.logits.gather(-1, ids[..., None]).mean())


@pytest.mark.parametrize("cutoffs", [(0, 10), (30, 10), (10, 10), (10, 50)])
def test_cutoffs_that_do_not_rise_within_the_vocabulary(cutoffs: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="must rise"):
        AdaptiveHead(16, 50, cutoffs)


def test_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="labels name"):
        AdaptiveHead(16, 50, (10,)).loss(torch.randn(1, 3, 16), torch.zeros(1, 2, dtype=torch.long))
    with pytest.raises(UsageError, match="tied: false"):
        DecoderSpec(adaptive=(10,))
