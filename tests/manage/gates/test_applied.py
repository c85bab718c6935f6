"""Gates that a plan closes in part: what they shut is left out of the model that runs, and nothing else changes."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import heedful
from heedful.errors import UsageError
from heedful.layers.block import TransformerBlock
from heedful.layers.gates.layerwise_adaptive import LayerwiseAdaptiveAttention
from heedful.manage.gates.choice import Closed, closed
from heedful.manage.gates.treatment import Treatment, gated_blocks, treated
from heedful.manage.plan import Plan
from heedful.manage.planning import Search
from heedful.manage.profile import Gated
from heedful.manage.saving.checkpoints import planned, restore
from heedful.models.build import build
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.decoder import Decoder
from heedful.spec import DecoderSpec, MechanismSpec, RunSpec

IDS = torch.randint(13, (2, 40), generator=torch.Generator().manual_seed(0))
SPEC = DecoderSpec(vocabulary=13, context=64, layers=2, width=32, heads=4)


def made(gate: str) -> Decoder:
    """A model whose gates say something, in float64."""
    torch.manual_seed(0)
    model = build(replace(SPEC, gate=MechanismSpec(gate))).double().eval()
    assert isinstance(model, Decoder)
    with torch.no_grad():
        for each in model.parameters():
            each.add_(0.3 * torch.randn_like(each))
    return model


def plan_of(model: Decoder, gates: float = 1e9, budget: float = 0.6) -> Plan:
    """All gates closed as far as they go."""
    profile = heedful.profile(model, [{"input_ids": IDS}], options=["full", "window(8,2)", "drop"])
    return heedful.plan(profile, heedful.Budget(operations=budget, length=40), search=Search(gates=gates))


def by_hand(model: Decoder, plan: Plan) -> Tensor:
    """The planned heads with each gate under its treatment, everything computed."""
    blocks = gated_blocks(model)
    with heedful.applied(model, replace(plan, gates=()), dense_below=0), ExitStack() as stack:
        for row in plan.gates:
            levels = None
            if row.open:
                levels = torch.zeros(model.spec.width)
                levels[list(row.open)] = 1.0
            number = 0.5 if row.open else row.number
            stack.enter_context(treated(blocks[row.gate], Treatment("threshold", number), levels))
        found: Tensor = model(IDS).logits
    return found


@pytest.mark.parametrize("gate", ["se", "lpw", "laa"])
@torch.no_grad()
def test_a_plan_closes_gates_and_gives_them_back(gate: str) -> None:
    model = made(gate)
    plan = plan_of(model)
    assert [row.gate for row in plan.gates] == ["layers.0", "layers.1"]
    assert all(row.skipped >= 0.2 for row in plan.gates)  # of gates that saturate many values are the same: 3 in 4 is asked for
    dense, before = model(IDS).logits, [(name, id(each)) for name, each in model.named_modules()]
    expected = by_hand(model, plan)
    with heedful.applied(model, plan, dense_below=0):
        found = model(IDS).logits
        cache = model.new_cache()
        steps = torch.cat(
            [model(IDS[:, :30], cache=cache).logits, *(model(IDS[:, at : at + 1], cache=cache).logits for at in range(30, 40))], 1
        )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(steps, found)
    assert not torch.allclose(found, dense)
    assert torch.equal(model(IDS).logits, dense)
    assert [(name, id(each)) for name, each in model.named_modules()] == before


@torch.no_grad()
def test_closed_channels_are_no_rows_of_the_projection() -> None:
    model = made("se")
    plan = plan_of(model)
    with heedful.applied(model, plan):
        for row, layer in zip(plan.gates, model.layers, strict=True):
            assert isinstance(layer, TransformerBlock)
            assert layer.attention.out_proj.weight.shape[0] == len(row.open) + 2  # and z = x W_a, 32 / 16 wide
            assert len(row.open) <= 0.3 * 32


@torch.no_grad()
def test_tokens_that_pass_by_are_not_fed() -> None:
    model = made("laa")
    block = model.layers[0]
    assert isinstance(block, TransformerBlock)
    gate, seen = block.gate, list[int]()
    assert isinstance(gate, LayerwiseAdaptiveAttention)
    handle = block.feed.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0].shape[-2]))
    x = torch.randn(2, 12, 32, dtype=torch.float64)
    whole = block(x)
    values = gate.gate(x).squeeze(-1)
    gate.threshold = float(values.median())
    after = block(x)
    handle.remove()
    kept = values >= gate.threshold
    assert seen == [12, int(kept.sum())]
    torch.testing.assert_close(after, torch.where(kept.unsqueeze(-1), whole, x))


def test_no_more_is_closed_than_may_be_lost() -> None:
    rows = [
        Gated("a", "LayerwiseAdaptiveAttention", f"threshold({n})", share, {"fisher": loss}, n)
        for n, share, loss in ((0.1, 0.25, 0.001), (0.2, 0.5, 0.004))
    ]
    rows += [Gated("b", "SqueezeExcitation", "threshold(0.3)", 0.25, {"fisher": 0.002}, 0.3, (1, 2, 3))]
    assert closed(rows, 0.0) == ()
    assert [(row.gate, row.skipped) for row in closed(rows, 0.001)] == [("a", 0.25)]
    assert [(row.gate, row.skipped) for row in closed(rows, 0.003)] == [("a", 0.25), ("b", 0.25)]
    assert [(row.gate, row.skipped) for row in closed(rows, 0.006)] == [("a", 0.5), ("b", 0.25)]
    assert closed(rows, 0.006)[1].open == (1, 2, 3)


@pytest.mark.parametrize("gate", ["se", "lpw", "laa"])
@torch.no_grad()
def test_written_and_read(gate: str, tmp_path: Path) -> None:
    model = made(gate).float()
    plan = plan_of(model)
    assert Plan.load(plan.save(tmp_path / "plan.json")) == plan
    spec = RunSpec(model=model.spec)
    checkpoint = Checkpoint(model.state_dict(), spec, {})
    heedful.apply(model, plan)
    save_checkpoint(tmp_path / "best.safetensors", planned(checkpoint, model, plan))
    again, _ = restore(tmp_path / "best.safetensors", build)
    assert torch.equal(again.eval()(IDS).logits, model(IDS).logits)


def test_a_gate_that_is_not_there_is_refused_and_nothing_has_changed() -> None:
    model = made("se")
    plan = plan_of(model)
    wrong = replace(plan, gates=(Closed("layers.7", "SqueezeExcitation", 0.1, (1,), 0.5, 0.0),))
    before: list[nn.Module] = list(model.modules())
    with pytest.raises(UsageError, match="found no block there"), heedful.applied(model, wrong):
        pass
    assert all(one is other for one, other in zip(before, model.modules(), strict=True))
    with pytest.raises(UsageError, match="--gates is -1"):
        Search(gates=-1.0)
