"""A gradient bounded inside the fused step moves the weights as one that is clipped before it."""

from __future__ import annotations

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from heedful.spec import TrainSpec
from heedful.train.clip import clip, excess
from heedful.train.optimise import optimisers


def trained(bound: float, ours: bool, spec: TrainSpec, steps: int = 4) -> list[torch.Tensor]:
    """The weights of a small network after some steps, clipped our way or torch's."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    steppers, weights, accelerator = optimisers(model, spec), list(model.parameters()), Accelerator(cpu=True)
    for _ in range(steps):
        (9.0 * model(torch.randn(8, 5)).square().mean()).backward()
        if ours:
            clip(accelerator, steppers, weights, bound)
        else:
            nn.utils.clip_grad_norm_(weights, bound)
        for stepper in steppers:
            stepper.step()
            stepper.zero_grad()
    return weights


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("bound", [0.01, 1.0, 1e6])
def test_the_weights_move_as_under_torchs_clipping(bound: float, optimiser: str) -> None:
    spec = TrainSpec(optimiser=optimiser, learning_rate=0.01, weight_decay=0.0)  # type: ignore[arg-type]
    for a, b in zip(trained(bound, True, spec), trained(bound, False, spec), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_the_bound_counts() -> None:
    small, free = trained(1e-6, True, TrainSpec(learning_rate=0.01)), trained(1e6, True, TrainSpec(learning_rate=0.01))
    assert not torch.allclose(small[0], free[0], atol=1e-4)


def test_excess_is_the_norm_over_the_bound() -> None:
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(3))]
    weights[0].grad, weights[1].grad = torch.tensor([3.0, 0.0]), torch.tensor([4.0])
    assert excess(weights, 2.0).item() == pytest.approx(2.5)
    assert excess(weights, 10.0).item() == 1.0
