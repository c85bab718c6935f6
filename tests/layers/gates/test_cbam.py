from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.gates import CBAM


def shaken(**options: object) -> CBAM:
    gate = CBAM(6, reduction=2, **options).double()
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    return gate


def mlp(gate: CBAM, z: Tensor) -> Tensor:
    return torch.relu(z @ gate.w_0) @ gate.w_1 + gate.b


def naive_stream(gate: CBAM, x: Tensor, causal: bool) -> Tensor:
    """One sequence (t, c), as the docstring spells it out."""
    n, u = len(x), torch.zeros_like(x)
    for t in range(n):
        read = x[: t + 1] if causal else x
        u[t] = x[t] * torch.sigmoid(mlp(gate, read.mean(0)) + mlp(gate, read.max(0).values))
    y = torch.zeros_like(x)
    for t in range(n):
        s = gate.b_s[0]
        for j in range(gate.kernel):
            at = t + j - (gate.kernel - 1 if causal else gate.kernel // 2)
            if 0 <= at < n:
                s = s + gate.w[0, 0, j] * u[at].mean() + gate.w[0, 1, j] * u[at].max()
        y[t] = u[t] * torch.sigmoid(s)
    return y


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_equals_the_loop(kernel, causal):
    gate, x = shaken(kernel=kernel, causal=causal), torch.randn(2, 9, 6, dtype=torch.float64)
    y = gate(x)
    for row in range(2):
        torch.testing.assert_close(y[row], naive_stream(gate, x[row], causal))


def test_equals_the_loop_on_an_image():
    gate, x = shaken(kernel=3, layout="2d"), torch.randn(1, 6, 4, 5, dtype=torch.float64)
    u = x[0] * torch.sigmoid(mlp(gate, x[0].mean((1, 2))) + mlp(gate, x[0].amax((1, 2))))[:, None, None]
    expected = torch.zeros_like(u)
    for row in range(4):
        for column in range(5):
            s = gate.b_s[0]
            for i in range(3):
                for j in range(3):
                    r, c = row + i - 1, column + j - 1
                    if 0 <= r < 4 and 0 <= c < 5:
                        s = s + gate.w[0, 0, i, j] * u[:, r, c].mean() + gate.w[0, 1, i, j] * u[:, r, c].max()
            expected[:, row, column] = u[:, row, column] * torch.sigmoid(s)
    torch.testing.assert_close(gate(x)[0], expected)


def test_steps_of_a_kernel_of_one_keep_nothing_of_the_places():
    gate, x = shaken(kernel=1, causal=True), torch.randn(1, 4, 6, dtype=torch.float64)
    first, state = gate.step(x[:, :3])
    second, _ = gate.step(x[:, 3:], state)
    assert state.kept[3].shape == (1, 2, 0)
    torch.testing.assert_close(torch.cat([first, second], dim=1), gate(x))


def test_bad_options():
    with pytest.raises(UsageError, match="odd"):
        CBAM(6, kernel=6)
    with pytest.raises(UsageError, match="start"):
        CBAM(6, start=-0.5)
