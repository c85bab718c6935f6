from __future__ import annotations

import math

import torch

from heedful.weightings import Normalise, Softmax


def test_exponentials_normalised_are_softmax() -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, 5, dtype=torch.float64)
    torch.testing.assert_close(Normalise()(scores.exp()), Softmax()(scores))


def test_a_row_of_zeros_gives_zeros_and_zero_gradients() -> None:
    scores = torch.tensor([[0.0, 0.0, -math.inf], [1.0, 3.0, -math.inf]], requires_grad=True)
    weights = Normalise()(scores)
    assert torch.equal(weights.detach(), torch.tensor([[0.0, 0.0, 0.0], [0.25, 0.75, 0.0]]))
    (gradient,) = torch.autograd.grad(weights[:, 0].sum(), scores)
    assert torch.equal(gradient[0], torch.zeros(3))
    assert gradient[1, 0] > 0
