from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from heedful.errors import UsageError
from heedful.gates import LayerwiseAdaptiveAttention, spending


def shaken(dim: int = 6, length: int = 20, **options: object) -> LayerwiseAdaptiveAttention:
    gate = LayerwiseAdaptiveAttention(dim, length, **options).double()
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    return gate


def test_equals_the_loop():
    gate, x = shaken(), torch.randn(2, 7, 6, dtype=torch.float64)
    own = gate.positional
    for row in range(2):
        for t in range(7):
            x_t = x[row, t]
            p = x_t @ own.w_p + own.tables[0][t]
            a = torch.sigmoid(x_t @ gate.meter.w + gate.meter.b)
            torch.testing.assert_close(gate(x)[row, t], (p * x_t) @ own.w_w + x_t @ own.w_x + a * x_t)
            torch.testing.assert_close(gate.gate(x)[row, t], a)


@pytest.mark.parametrize("start", [0.1, 0.5, 0.9])
def test_the_start_is_the_identity_whatever_is_spent(start):
    gate, x = LayerwiseAdaptiveAttention(6, 20, start=start), torch.randn(2, 7, 6)
    torch.testing.assert_close(gate(x), x)
    torch.testing.assert_close(gate.spend(x), torch.tensor(start))


def test_spending_is_the_mean_over_real_places():
    gate, x = shaken(), torch.randn(2, 4, 6, dtype=torch.float64)
    mask = torch.tensor([[True, True, False, False], [True, True, True, False]])
    torch.testing.assert_close(gate.spend(x, mask), gate.gate(x)[..., 0][mask].mean())
    assert gate.spend(x, torch.zeros_like(mask)) == 0


def test_a_price_brings_the_spending_under_the_budget():
    model = nn.Sequential(LayerwiseAdaptiveAttention(4, 6), LayerwiseAdaptiveAttention(4, 6))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        with spending(model) as spent:
            loss = model(torch.randn(8, 6, 4)).square().mean() * 0.01
        loss = loss + spent.excess(0.2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert spent.mean() < 0.25
    assert len(spent.layers) == 2


def test_the_price_reaches_the_meter():
    gate, x = shaken(), torch.randn(2, 4, 6, dtype=torch.float64)
    gate.spend(x).backward()
    assert gate.meter.w.grad.abs().sum() > 0
    assert gate.positional.w_w.grad is None


def test_spending_honours_masks_and_ends_with_its_context():
    gate, x = shaken(), torch.randn(1, 4, 6, dtype=torch.float64)
    mask = torch.tensor([[True, True, False, False]])
    with spending(gate) as spent:
        gate(x, mask=mask)
    gate(x)
    torch.testing.assert_close(spent.mean(), gate.spend(x, mask))
    assert [len(calls) for calls in spent.layers.values()] == [1]


def test_spending_of_a_model_without_meters_is_refused():
    with spending(nn.Linear(2, 2)) as spent:
        pass
    with pytest.raises(UsageError, match="nothing was spent"):
        spent.mean()


def test_tokens_under_the_threshold_are_left_out_at_inference_only():
    gate, x = shaken(threshold=0.5), torch.randn(2, 9, 6, dtype=torch.float64)
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[1, 6:] = False
    assert gate.train().keeps(x).all()
    kept = gate.eval().keeps(x, mask)
    assert torch.equal(kept, (gate.gate(x)[..., 0] >= 0.5) & mask)
    assert 0 < kept.sum() < mask.sum()
    gate.threshold = 0.0
    assert torch.equal(gate.keeps(x, mask), mask)


def test_keeps_on_images_is_shaped_as_a_mask():
    gate = shaken(3, (4, 5), layout="2d", threshold=0.5).eval()
    assert gate.keeps(torch.randn(2, 3, 4, 5, dtype=torch.float64)).shape == (2, 4, 5)


def test_a_gate_that_has_run_can_be_copied():
    gate = shaken()
    gate(torch.randn(1, 3, 6, dtype=torch.float64))
    assert torch.equal(copy.deepcopy(gate).meter.w, gate.meter.w)


def test_a_threshold_outside_the_range_is_refused():
    with pytest.raises(UsageError, match="threshold"):
        LayerwiseAdaptiveAttention(6, 20, threshold=1.5)
