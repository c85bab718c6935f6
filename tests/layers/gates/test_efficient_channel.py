from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.gates import EfficientChannelAttention


def naive(gate: EfficientChannelAttention, x: Tensor, causal: bool) -> Tensor:
    """One sequence (t, c), channel by channel."""
    y, reach = torch.zeros_like(x), gate.kernel // 2
    for t in range(len(x)):
        z = x[: t + 1].mean(0) if causal else x.mean(0)
        for c in range(x.shape[1]):
            near = [(j, c + j - reach) for j in range(gate.kernel) if 0 <= c + j - reach < x.shape[1]]
            y[t, c] = x[t, c] * torch.sigmoid(sum(gate.w[j] * z[n] for j, n in near) + gate.b[0])
    return y


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 9])
def test_equals_the_loop(kernel, causal):
    gate, x = EfficientChannelAttention(7, kernel=kernel, causal=causal).double(), torch.randn(2, 5, 7, dtype=torch.float64)
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    y = gate(x)
    for row in range(2):
        torch.testing.assert_close(y[row], naive(gate, x[row], causal))


@pytest.mark.parametrize(("dim", "kernel"), [(1, 1), (2, 1), (8, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)])
def test_the_adaptive_kernel(dim, kernel):
    gate = EfficientChannelAttention(dim)
    assert gate.kernel == kernel
    assert sum(p.numel() for p in gate.parameters()) == kernel + 1


def test_an_even_kernel_is_refused():
    with pytest.raises(UsageError, match="odd"):
        EfficientChannelAttention(8, kernel=4)
