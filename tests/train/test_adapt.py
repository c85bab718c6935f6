"""Adapters learn while the model stays as it is; LoRA is merged; gates for every budget open in order; distilling brings KL down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import Tensor

from heedful.errors import CheckpointError, Unsupported, UsageError
from heedful.layers.adapters.insert import insert
from heedful.manage.options.table import parse
from heedful.manage.simulate import simulated
from heedful.manage.watch import sites
from heedful.models.decoder import Decoder
from heedful.spec import DecoderSpec
from heedful.spec.adapter import AdapterSpec
from heedful.spec.plain import build as from_plain
from heedful.spec.plain import plain
from heedful.train.adapt import lora
from heedful.train.adapt.budget_gates import BudgetGates, across_budgets
from heedful.train.adapt.distil import distilling
from heedful.train.adapt.files import fill_adapter, read_adapter, save_adapter
from heedful.train.adapt.learn import Lessons, learn, nats, teacher_of

SPEC = DecoderSpec(vocabulary=13, context=16, width=16, layers=2, heads=4, kv_heads=2, mlp_width=24)


def model(spec: DecoderSpec = SPEC) -> Decoder:
    made = Decoder(spec).eval()
    for weight in made.parameters():
        weight.data.add_(0.2 * torch.randn_like(weight))
    return made


def text(rows: int = 4) -> dict[str, Tensor]:
    start = torch.randint(13, (rows, 1))
    return {"input_ids": (start + 3 * torch.arange(12)) % 13}


def batches() -> Iterator[dict[str, Tensor]]:
    while True:
        yield text()


@pytest.mark.parametrize("method", ["prefix", "bottleneck"])
def test_an_adapter_alone_learns_and_lives_in_a_spec_and_a_file(method: str, tmp_path: Path) -> None:
    made, ids = model(), text()["input_ids"]
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    exact = made(ids).logits
    mine = insert(made, AdapterSpec(method, 4))
    if method == "bottleneck":
        torch.testing.assert_close(made(ids).logits, exact)
    found = learn(made, mine, batches, [text(8)], Lessons(steps=40, rate=3e-2))
    assert found.best < found.before - 0.05
    assert all(torch.equal(made.state_dict()[name], tensor) for name, tensor in before.items())
    assert all(parameter.requires_grad for parameter in made.parameters())
    again = Decoder(replace(SPEC, adapter=AdapterSpec(method, 4))).eval()
    assert from_plain(DecoderSpec, plain(again.spec)) == again.spec
    again.load_state_dict(made.state_dict())
    torch.testing.assert_close(again(ids).logits, made(ids).logits)
    cache = again.new_cache()
    with torch.no_grad():
        steps = torch.cat([again(ids[:, t : t + 1], cache=cache).logits for t in range(12)], dim=1)
    torch.testing.assert_close(steps, again(ids).logits, atol=1e-5, rtol=1e-4)
    own = {name: tensor for name, tensor in made.state_dict().items() if name not in before}
    save_adapter(tmp_path / "a.safetensors", AdapterSpec(method, 4), own, "base")
    spec, tensors, base = read_adapter(tmp_path / "a.safetensors")
    fresh = model()
    with pytest.raises(CheckpointError, match="another model"):
        fill_adapter(fresh, tensors, tmp_path)
    insert(fresh, spec)
    fill_adapter(fresh, tensors, tmp_path)
    assert base == "base"
    with pytest.raises(Unsupported, match="already"):
        insert(fresh, spec)


def test_lora_is_merged_into_a_model_of_the_same_parts() -> None:
    pytest.importorskip("peft")
    made, ids = model(), text()["input_ids"]
    names = list(made.state_dict())
    exact = made(ids).logits
    lora.lora(made, 2)
    torch.testing.assert_close(made(ids).logits, exact)
    found = learn(made, lora.learning(made), batches, [text(8)], Lessons(steps=40, rate=1e-2))
    assert found.best < found.before - 0.1
    learnt = made.eval()(ids).logits
    merged = lora.merged(made)
    torch.testing.assert_close(merged(ids).logits, learnt, atol=1e-5, rtol=1e-4)
    assert list(merged.state_dict()) == names
    with pytest.raises(Unsupported, match="eight bits"):
        lora.lora(Decoder(replace(SPEC, weights="int8")), 2)


def test_distilling_brings_back_what_a_plan_lost() -> None:
    made = model()
    teacher, plan = teacher_of(made), {(0, 0): parse("drop"), (0, 1): parse("window(2)"), (1, 3): parse("drop")}
    found = learn(
        made,
        list(made.parameters()),
        batches,
        [text(8)],
        Lessons(steps=40, rate=5e-3),
        aim=distilling(teacher),
        within=lambda: simulated(made, plan),
    )
    assert found.before > 0.01
    assert found.best < 0.5 * found.before
    assert all(not parameter.requires_grad for parameter in teacher.parameters())


def test_nothing_but_the_best_is_kept_and_a_wild_rate_leaves_the_start() -> None:
    made = model()
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    found = learn(made, list(made.parameters()), batches, [text(8)], Lessons(steps=5, rate=50.0, clip=100.0))
    assert (found.step, found.best) == (0, found.before)
    assert all(torch.equal(made.state_dict()[name], tensor) for name, tensor in before.items())
    with pytest.raises(UsageError, match="nothing to train"):
        learn(made, [], batches, [text()], Lessons(steps=1))


def test_a_head_of_a_small_budget_is_one_of_every_larger_budget() -> None:
    made = model()
    gates = BudgetGates(sites(made), torch.tensor([5.0, 1.0, 2.0, 9.0, 3.0, 4.0, 8.0, 0.5]))
    assert gates.choices(0.25) == (("drop", "drop", "drop", "full"), ("drop", "drop", "full", "drop"))
    for _ in range(20):
        gates.raw.data.copy_(torch.rand(8))
        shares = torch.linspace(0.05, 1.0, 12).tolist()
        rows = torch.stack([gates(share) for share in shares])
        assert bool((rows.diff(dim=0) >= 0).all())
        kept = [{(i, j) for i, row in enumerate(gates.choices(share)) for j, name in enumerate(row) if name == "full"} for share in shares]
        assert all(small <= large for small, large in pairwise(kept))
        assert [len(one) for one in kept] == [max(1, round(share * 8)) for share in shares]
    assert bool((gates(1.0) == 1).all())
    with pytest.raises(UsageError, match="above 0"):
        gates.choices(0.0)


def test_one_model_learns_to_work_under_half_of_its_heads() -> None:
    made = model()
    gates = BudgetGates(sites(made))
    kept = {(i, j): parse("drop") for i, row in enumerate(gates.choices(0.5)) for j, name in enumerate(row) if name == "drop"}
    with torch.no_grad(), simulated(made, kept):
        before = float(nats(made, text(16)))
    learn(
        made,
        [*gates.parameters(), *made.parameters()],
        batches,
        [text(8)],
        Lessons(steps=60, rate=5e-3),
        aim=across_budgets(gates, nats, 0.5, 0),
    )
    kept = {(i, j): parse("drop") for i, row in enumerate(gates.choices(0.5)) for j, name in enumerate(row) if name == "drop"}
    with torch.no_grad(), simulated(made, kept):
        after = float(nats(made.eval(), text(16)))
    assert after < before - 0.2
    with torch.no_grad():
        assert float(nats(made, text(16))) < before
