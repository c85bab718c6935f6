"""A softmax whose gradient is that of a warmer one, with and without a sink that takes a share."""

from __future__ import annotations

import pytest
import torch

from heedful.explanations.rules.softened import share, softened


@pytest.mark.parametrize("temperature", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("sink", [None, 0.3])
def test_the_scores_get_the_warmer_gradient(temperature: float, sink: float | None) -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 5, dtype=torch.float64) * 3
    up = torch.randn(2, 3, 5, dtype=torch.float64)

    def weights(at: torch.Tensor, warm: float) -> torch.Tensor:
        logits = at if sink is None else torch.cat([at, torch.full((2, 3, 1), sink, dtype=torch.float64)], dim=-1)
        return (logits / warm).softmax(-1)[..., :5]

    one, other = scores.clone().requires_grad_(), scores.clone().requires_grad_()
    cold = softened(weights(one, 1.0), temperature)
    torch.testing.assert_close(cold, weights(scores, 1.0), rtol=0, atol=0)
    (found,) = torch.autograd.grad(cold, one, up)
    (expected,) = torch.autograd.grad(weights(other, temperature), other, up)
    torch.testing.assert_close(found, expected)


def test_masked_keys_stay_without_gradient() -> None:
    scores = torch.tensor([[0.3, 1.0, -torch.inf]], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(softened(scores.softmax(-1), 2.0)[0, 0], scores)
    assert found[0, 2] == 0.0
    assert found.isfinite().all()


def test_a_share_of_the_gradient() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    (share(x, 0.25) * 3).backward()
    assert x.grad is not None
    assert (x.grad.item(), share(x, 0.25).item()) == (0.75, 2.0)
