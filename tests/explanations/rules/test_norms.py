"""Norms held in the backward pass: the same output, and the gradient of a division by a number."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.models.gemma.modeling_gemma import GemmaRMSNorm
from transformers.models.t5.modeling_t5 import T5LayerNorm

from heedful.explanations.rules.norms import frozen
from heedful.layers.norm import RMSNorm

NORMS = {
    "ours": lambda: RMSNorm(6),
    "torch": lambda: nn.RMSNorm(6, eps=1e-6),
    "gemma": lambda: GemmaRMSNorm(6),
    "t5": lambda: T5LayerNorm(6),
    "layer": lambda: nn.LayerNorm(6),
    "layer without": lambda: nn.LayerNorm(6, elementwise_affine=False),
}


@pytest.mark.parametrize("name", NORMS)
def test_the_divisor_is_a_constant(name: str) -> None:
    torch.manual_seed(0)
    norm = NORMS[name]().double()
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.copy_(torch.randn_like(parameter))
    x = torch.randn(2, 3, 6, dtype=torch.float64, requires_grad=True)
    up = torch.randn(2, 3, 6, dtype=torch.float64)
    plain = norm(x)
    with frozen(nn.Sequential(norm)):
        held = norm(x)
    torch.testing.assert_close(held, plain, rtol=1e-6, atol=1e-9)  # Gemma and T5 norm in float32
    (found,) = torch.autograd.grad(held, x, up)
    still = x.detach()
    centred = still - still.mean(-1, keepdim=True) if "layer" in name else still
    with torch.no_grad():
        shift = norm(torch.zeros_like(still))
        slope = (plain - shift) / centred  # weight / divisor, number by number
    expected = up * slope
    expected = expected - expected.mean(-1, keepdim=True) if "layer" in name else expected
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)
    (after,) = torch.autograd.grad(norm(x), x, up)
    assert not torch.allclose(after, found)
