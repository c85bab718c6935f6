from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from heedful.errors import ShapeError, UsageError
from heedful.gates import AttentionGate


def shaken(dim: int = 6, signal_dim: int = 4, **options: object) -> AttentionGate:
    gate = AttentionGate(dim, signal_dim, **options).double()
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    return gate


def test_equals_the_loop():
    gate = shaken()
    x, signal = torch.randn(2, 5, 6, dtype=torch.float64), torch.randn(2, 5, 4, dtype=torch.float64)
    for row in range(2):
        for t in range(5):
            joint = torch.relu(x[row, t] @ gate.w_x + signal[row, t] @ gate.w_g + gate.b_g)
            alpha = torch.sigmoid(joint @ gate.psi + gate.b_psi)
            torch.testing.assert_close(gate.gate(x, signal)[row, t], alpha)
            torch.testing.assert_close(gate(x, signal)[row, t], alpha * x[row, t])


def test_without_a_signal_the_features_are_their_own():
    gate, x = shaken(6, 6), torch.randn(2, 5, 6, dtype=torch.float64)
    torch.testing.assert_close(gate(x), gate(x, x))
    with pytest.raises(ShapeError, match="signal="):
        shaken(6, 4)(x)


def test_one_signal_serves_all_places():
    gate, x = shaken(causal=True), torch.randn(2, 5, 6, dtype=torch.float64)
    signal = torch.randn(2, 1, 4, dtype=torch.float64)
    torch.testing.assert_close(gate(x, signal), gate(x, signal.expand(2, 5, 4)))


@pytest.mark.parametrize("layout", ["1d", "2d"])
def test_a_coarse_signal_is_brought_to_the_grid(layout):
    gate, fine, coarse = shaken(layout=layout), (9,) if layout == "1d" else (9, 7), (4,) if layout == "1d" else (4, 3)
    x, signal = torch.randn(2, 6, *fine, dtype=torch.float64), torch.randn(2, 4, *coarse, dtype=torch.float64)
    finer = F.interpolate(signal, size=fine, mode="linear" if layout == "1d" else "bilinear", align_corners=False)
    torch.testing.assert_close(gate(x, signal), gate(x, finer))  # interpolation and projection commute


def test_a_causal_signal_is_never_interpolated():
    for options in ({"layout": "1d", "causal": True}, {"layout": "stream"}):
        shapes = ((2, 6, 8), (2, 4, 4)) if options["layout"] == "1d" else ((2, 8, 6), (2, 4, 4))
        with pytest.raises(ShapeError, match="as many places"):
            shaken(**options)(*(torch.randn(shape, dtype=torch.float64) for shape in shapes))


def test_steps_take_their_piece_of_the_signal():
    gate = shaken(causal=True)
    x, signal = torch.randn(2, 5, 6, dtype=torch.float64), torch.randn(2, 5, 4, dtype=torch.float64)
    first, state = gate.step(x[:, :3], signal=signal[:, :3])
    second, state = gate.step(x[:, 3:], state, signal=signal[:, 3:])
    torch.testing.assert_close(torch.cat([first, second], dim=1), gate(x, signal))
    assert state.seen == 5


def test_a_signal_of_another_width_or_batch_is_refused():
    x = torch.randn(2, 5, 6, dtype=torch.float64)
    with pytest.raises(ShapeError, match="width 4"):
        shaken()(x, torch.randn(2, 5, 3, dtype=torch.float64))
    with pytest.raises(ShapeError, match="batch"):
        shaken()(x, torch.randn(3, 5, 4, dtype=torch.float64))
    with pytest.raises(UsageError, match="hidden=0"):
        AttentionGate(6, hidden=0)
