from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import heedful
from heedful.errors import Unsupported
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.layers.gates.positional_weighting import PositionalWeighting
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.manage.gates.closing import ClosedChannels, ClosedPlaces
from heedful.manage.gates.treatment import Treatment, gated_blocks, treated
from heedful.manage.objective import token_losses
from heedful.spec.attention import MechanismSpec
from manage.made import decoder

IDS = torch.arange(60).reshape(2, 30) * 7 % 13


@pytest.mark.parametrize("form", ["relu", "tanh", "literal"])
@pytest.mark.parametrize("causal", [True, False])
def test_closed_channels_are_the_gate_where_it_is_open_and_zero_elsewhere(form: str, causal: bool) -> None:
    gate = SqueezeExcitation(8, form=form, causal=causal, reduction=2).double()  # type: ignore[arg-type]
    nn.init.normal_(gate.w_s)
    x, open = torch.randn(2, 5, 8, dtype=torch.float64), torch.tensor([1, 2, 6])
    expected = torch.zeros_like(x)
    expected[..., open] = gate(x)[..., open]
    closed = ClosedChannels(gate, open)
    torch.testing.assert_close(closed(x), expected)
    if causal:
        first, state = closed.step(x[:, :2])
        later, _ = closed.step(x[:, 2:], state)
        torch.testing.assert_close(torch.cat([first, later], 1), expected)


def test_closed_places_leave_their_product_out() -> None:
    gate = PositionalWeighting(8, 9).double()
    nn.init.normal_(gate.w_p)
    x = torch.randn(2, 9, 8, dtype=torch.float64)
    p = gate.gate(x)
    expected = (torch.where(p.abs() < 1.0, 0.0, p) * x) @ gate.w_w + x @ gate.w_x
    torch.testing.assert_close(ClosedPlaces(gate, 1.0)(x), expected)
    torch.testing.assert_close(ClosedPlaces(gate, 0.0)(x), gate(x))
    torch.testing.assert_close(ClosedPlaces(gate, 1e9)(x), x @ gate.w_x)


def shaken(name: str) -> nn.Module:
    model = decoder(gate=MechanismSpec(name), dtype=torch.float32)
    assert len(gated_blocks(model)) == 2
    return model


@pytest.mark.parametrize("name", ["se", "lpw", "laa"])
def test_the_losses_are_those_of_the_formula(name: str) -> None:
    model = shaken(name)
    found = heedful.profile(model, [{"input_ids": IDS}], options=["drop"])
    block = gated_blocks(model)["layers.1"]
    kept: list[tuple[Tensor, Tensor]] = []
    handle = block.register_forward_hook(lambda module, args, out: kept.append((args[0], out)))
    scored = token_losses(model, {"input_ids": IDS})
    handle.remove()
    ((x, y),) = kept
    (g,) = torch.autograd.grad(scored.total, y)
    mine = {each.treatment: each for each in found.gates if each.name == "layers.1"}
    assert [each for each in mine if each.startswith("threshold")]
    assert mine["kept"].losses == {"fisher": 0.0, "output_error": 0.0}
    with torch.no_grad(), treated(block, Treatment("removed")):
        assert block.gate is None
        delta = (block(x) - y) * (g != 0).any(-1, keepdim=True)
    expected = 0.5 * (g * delta).sum(-1).square().sum() / scored.number
    assert mine["removed"].losses["fisher"] == pytest.approx(float(expected), rel=1e-3)
    assert block.gate is not None


@pytest.mark.parametrize("name", ["se", "lpw", "laa"])
def test_thresholds_close_what_they_say(name: str) -> None:
    found = heedful.profile(shaken(name), [{"input_ids": IDS}], options=["drop"])
    shares = [each.skipped for each in found.gates if each.treatment.startswith("threshold") and each.name == "layers.0"]
    assert np.allclose(shares, [0.25, 0.5, 0.75], atol=0.1)  # tokens that are the same have the same value


def test_a_threshold_skips_whole_tokens_of_an_adaptive_block() -> None:
    model = shaken("laa")
    block = gated_blocks(model)["layers.0"]
    x = torch.randn(1, 6, 16)
    gate = block.gate
    assert isinstance(gate, LayerwiseAdaptiveAttention)
    with treated(block, Treatment("threshold", 1.0)):
        assert torch.equal(block(x), x)
    assert gate.threshold == 0.0


def test_what_has_no_threshold_is_refused_and_put_back() -> None:
    model = shaken("eca")
    block = gated_blocks(model)["layers.0"]
    before = block.gate
    with pytest.raises(Unsupported, match="EfficientChannelAttention has no threshold"), treated(block, Treatment("threshold", 0.5)):
        pass
    assert block.gate is before
    found = heedful.profile(model, [{"input_ids": IDS}], options=["drop"])
    assert [each.treatment for each in found.gates] == ["kept", "removed"] * 2


def test_a_model_without_gates_has_none() -> None:
    assert heedful.profile(decoder(), [{"input_ids": IDS}], options=["drop"]).gates == ()
