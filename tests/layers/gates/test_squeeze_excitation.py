from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.gates import SqueezeExcitation


def shaken(**options: object) -> SqueezeExcitation:
    gate = SqueezeExcitation(6, reduction=2, **options).double()
    for parameter in gate.parameters():
        nn.init.normal_(parameter)
    return gate


def naive(gate: SqueezeExcitation, x: Tensor, real: list[bool], causal: bool) -> Tensor:
    """One sequence (t, m), place by place: the mean of x W_a over the places read, as FORMULAS writes it."""
    y = torch.zeros_like(x)
    for t in range(len(x)):
        read = [s for s in range(len(x)) if real[s] and (s <= t or not causal)]
        z = sum(x[s] @ gate.w_a for s in read) / len(read)
        if gate.form == "literal":
            g = torch.sigmoid(torch.tanh(z @ gate.w_s + gate.b))
        else:
            g = torch.sigmoid({"relu": torch.relu, "tanh": torch.tanh}[gate.form](z) @ gate.w_s + gate.b)
        y[t] = x[t] * g
    return y


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("form", ["relu", "tanh", "literal"])
def test_equals_the_loop(form, causal):
    gate, x = shaken(form=form, causal=causal), torch.randn(2, 7, 6, dtype=torch.float64)
    mask = torch.tensor([[True] * 7, [True, True, False, True, True, False, False]])
    y = gate(x, mask=mask)
    for row in range(2):
        real = mask[row]
        torch.testing.assert_close(y[row][real], naive(gate, x[row], real.tolist(), causal)[real])


def test_layouts_agree():
    gates = [shaken(layout=layout) for layout in ("stream", "1d", "2d")]
    for gate in gates[1:]:
        gate.load_state_dict(gates[0].state_dict())
    x = torch.randn(2, 12, 6, dtype=torch.float64)
    y = gates[0](x)
    torch.testing.assert_close(gates[1](x.mT), y.mT)
    torch.testing.assert_close(gates[2](x.mT.reshape(2, 6, 3, 4)), y.mT.reshape(2, 6, 3, 4))


def test_the_gate_weighs_channels_and_not_the_features_themselves():
    """The source article's code returned x · x."""
    gate, x = shaken(), torch.randn(1, 5, 6, dtype=torch.float64)
    torch.testing.assert_close(gate(x) / x, gate.gate(x).expand_as(x))


def test_the_literal_form_is_confined():
    gate = shaken(form="literal")
    with torch.no_grad():
        gate.w_s.mul_(1000.0)
    values = gate.gate(torch.randn(64, 3, 6, dtype=torch.float64))
    torch.testing.assert_close(values.min().item(), 1 / (1 + math.e))
    torch.testing.assert_close(values.max().item(), math.e / (1 + math.e))


@pytest.mark.parametrize(("form", "start"), [("relu", 0.5), ("tanh", 0.99), ("literal", 0.5), ("literal", 0.7)])
def test_the_start_is_as_asked(form, start):
    gate = SqueezeExcitation(6, form=form, start=start)
    torch.testing.assert_close(gate.gate(torch.randn(2, 3, 6)), torch.full((2, 1, 6), start))


def test_bad_options():
    with pytest.raises(UsageError, match="relu"):
        SqueezeExcitation(6, form="relo")
    with pytest.raises(UsageError, match=r"0\.269 and 0\.731"):
        SqueezeExcitation(6, form="literal", start=0.9)
    with pytest.raises(UsageError, match="reduction=0"):
        SqueezeExcitation(6, reduction=0)


def test_a_long_running_mean_in_half_precision_goes_on_growing():
    gate, x = SqueezeExcitation(2, causal=True).bfloat16(), torch.ones(1, 2000, 2, dtype=torch.bfloat16)
    with torch.no_grad():
        gate.w_s.fill_(1.0)
    values = gate.gate(x)
    assert torch.equal(values[:, 0], values[:, -1])  # the mean of ones is one, at the 2000th place too
