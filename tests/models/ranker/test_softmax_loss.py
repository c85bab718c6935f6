"""The sliced softmax against torch's, value and gradients; gSASRec's loss against its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy

from heedful.models.ranker import loss as module
from heedful.models.ranker.loss import Beside, sampled_loss, softmax_loss

N, V, M, S = 13, 17, 5, 4


@pytest.mark.parametrize("cells", [1, 40, 1 << 20])  # one row a slice, two, all
@pytest.mark.parametrize("extras", [False, True])
def test_it_is_the_softmax_loss_with_its_gradients(cells: int, extras: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", cells)
    states, vectors, bias, values = (
        torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in ((N, M), (V, M), (V,), (N, S))
    )
    labels = torch.randint(V - 3, (N,))
    ids = torch.randint(V, (N, S))  # an item may stand there twice
    hidden = torch.full((N, 2), V - 1)
    logits = states @ vectors.T + bias
    if extras:
        logits = logits.scatter_add(1, ids, values)
        logits = logits.index_fill(1, torch.tensor([V - 1]), -math.inf)
    wanted = cross_entropy(logits, labels)
    found = softmax_loss(states, vectors, bias, labels, Beside(values, ids) if extras else None, hidden if extras else None)
    inputs = (states, vectors, bias, values) if extras else (states, vectors, bias)
    rounding = 64 * V * torch.finfo(torch.float32).eps  # the total is kept in float32
    assert abs(float(found.detach() - wanted.detach())) < rounding
    theirs = torch.autograd.grad(3 * wanted, inputs)
    for mine, right in zip(torch.autograd.grad(3 * found, inputs), theirs, strict=True):
        assert float((mine - right).abs().max()) < 1e3 * torch.finfo(torch.float64).eps


def test_under_autocast_products_alone_are_narrow() -> None:
    states, vectors = torch.randn(N, M, requires_grad=True), torch.randn(V, M, requires_grad=True)
    labels = torch.randint(V, (N,))
    exact = softmax_loss(states, vectors, torch.zeros(V), labels)
    with torch.autocast("cpu", torch.bfloat16):
        rough = softmax_loss(states, vectors, torch.zeros(V), labels)
    rough.backward()  # type: ignore[no-untyped-call]
    most = (states.detach() @ vectors.detach().T).abs().max() + (states.detach().abs() @ vectors.detach().abs().T).max()
    assert rough.dtype == torch.float32
    assert states.grad is not None
    assert states.grad.dtype == torch.float32
    assert abs(float(rough.detach() - exact.detach())) <= 4 * float(most) * torch.finfo(torch.bfloat16).eps


def test_without_calibration_it_is_binary_cross_entropy() -> None:
    right, wrong = torch.randn(6, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    scores = torch.cat([right[:, None], wrong], dim=1).float()
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(scores, labels)
    assert torch.allclose(sampled_loss(right, wrong, items=100, calibration=0.0), wanted, rtol=16 * torch.finfo(torch.float32).eps)


def test_full_calibration_weighs_the_right_item_by_the_share_that_is_drawn() -> None:
    right, wrong = torch.tensor([0.0]), torch.full((1, 4), -50.0)  # wrong ones cost nothing
    found = sampled_loss(right, wrong, items=41, calibration=1.0)
    assert float(found) == pytest.approx(0.1 * math.log(2) / 5, rel=1e-5)
