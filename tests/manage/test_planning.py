"""Plans: within the budget, with a reason for every head, for this model alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import heedful
from heedful.errors import DataError, UsageError
from heedful.manage.allocate import swap
from heedful.manage.allocate.case import Case
from heedful.manage.allocate.controls import CONTROLS, control
from heedful.manage.allocate.drawing import grid, totals
from heedful.manage.allocate.hull import Unmet
from heedful.manage.allocate.joint import Trial
from heedful.manage.allocate.problem import Problem, Row
from heedful.manage.allocate.units import spend
from heedful.manage.plan import Plan
from heedful.manage.planning import Search
from heedful.manage.prices.price import Price
from heedful.manage.prices.prices import prices
from heedful.manage.prices.work import Setting
from heedful.manage.profile import Profile
from heedful.spec.budget import Budget
from manage.made import decoder

BATCHES = [{"input_ids": torch.randint(13, (2, 48), generator=torch.Generator().manual_seed(seed))} for seed in range(2)]
OPTIONS = ["full", "window(24,2)", "window(8,2)", "window(4,1)", "drop"]


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Prices by the pairs that are computed, and two parts of a millisecond a group: nothing is timed in these tests."""

    def measured(kind, options, setting):
        pairs = [option.attended(setting.length) if setting.phase == "prefill" else option.kept(setting.length) for option in options]
        return [tuple((heads, 0.2 + heads * number * 1e-3) for heads in (1, 2, 4)) for number in pairs]

    monkeypatch.setattr("heedful.manage.prices.prices.measured", measured)
    for name in ("entered", "started"):
        monkeypatch.setattr(f"heedful.manage.prices.prices.{name}", lambda kind, setting: 0.1)
    monkeypatch.setattr("heedful.manage.prices.store.folder", lambda: tmp_path)


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return decoder(dtype=torch.float32)


@pytest.fixture(scope="module")
def profile(model: nn.Module) -> Profile:
    return heedful.profile(model, BATCHES, options=OPTIONS)


@pytest.fixture(scope="module")
def steps(model: nn.Module) -> Profile:
    return heedful.profile(model, BATCHES, phase="decode", options=["full", "streaming(12,4)", "h2o(16)", "keynorm(8)", "drop"])


def test_the_whole_budget_is_all_of_the_attention(profile: Profile) -> None:
    found = heedful.plan(profile, Budget(milliseconds=1.0, bytes=1.0))
    assert found.options == {"full": 8}
    assert (found.loss, found.bound, found.predicted) == (0.0, 0.0, found.dense)


@pytest.mark.parametrize("share", [0.7, 0.4, 0.15, 0.02])
@pytest.mark.parametrize("resource", ["milliseconds", "operations", "bytes"])
def test_within_the_budget_and_above_the_bound(profile: Profile, resource: str, share: float) -> None:
    found = heedful.plan(profile, Budget(**{resource: share}))
    spent, dense = vars_of(found.predicted)[resource], vars_of(found.dense)[resource]
    assert spent <= share * dense * (1 + 1e-9)
    assert found.bound is not None
    assert found.bound <= found.loss
    losses = [profile.losses["fisher"][profile.row(site, head), profile.options.index(name)] for site, head, name in heads_of(found)]
    assert found.loss == pytest.approx(sum(losses))
    assert all(len(set(row)) <= 3 for row in found.choices)


def vars_of(found) -> dict[str, float]:
    return {name: getattr(found, name) for name in ("milliseconds", "operations", "bytes")}


def heads_of(found: Plan) -> list[tuple[int, int, str]]:
    return [(site, head, name) for site, row in enumerate(found.choices) for head, name in enumerate(row)]


def test_more_budget_loses_no_more(profile: Profile) -> None:
    losses = [heedful.plan(profile, Budget(operations=share)).loss for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 0


def test_several_limits_hold_together(profile: Profile) -> None:
    found = heedful.plan(profile, Budget(milliseconds=0.6, operations=0.4, bytes=0.5))
    assert found.predicted.milliseconds <= 0.6 * found.dense.milliseconds
    assert found.predicted.operations <= 0.4 * found.dense.operations
    assert found.predicted.bytes <= 0.5 * found.dense.bytes


def test_a_reason_for_every_head(profile: Profile) -> None:
    found = heedful.plan(profile, Budget(milliseconds=0.4))
    for site, head, name in heads_of(found):
        reason = found.reasons[site][head]
        loss = profile.losses["fisher"][profile.row(site, head), profile.options.index(name)]
        assert reason.startswith(f"{name}: loses {loss:.3g} nats a token, saves ")
        assert "\n" not in reason
        assert ("would lose" in reason) or name == "full"


def test_heads_that_share_a_cache_choose_together(profile: Profile, steps: Profile) -> None:
    for found in (heedful.plan(profile, Budget(bytes=0.4)), heedful.plan(steps, Budget(milliseconds=0.75, phase="decode"))):
        assert all(row[0] == row[1] and row[2] == row[3] for row in found.choices)
        assert len(found.options) > 1
    apart = [heedful.plan(profile, Budget(operations=share)) for share in (0.3, 0.5, 0.7)]
    assert any(row[0] != row[1] or row[2] != row[3] for found in apart for row in found.choices)


def test_what_a_plan_takes_is_counted_by_hand(profile: Profile) -> None:
    price = prices(profile.sites, profile.parsed, Setting(length=48))
    names = (("full", "window(8,2)", "drop", "drop"), ("full",) * 4)
    found = spend(profile.sites, names, price)
    site = profile.sites[0]
    full, window = price.of(site, "full"), price.of(site, "window(8,2)")
    assert full.layer == window.layer == 0.1  # once for each of the two layers
    assert found.milliseconds == pytest.approx(2 * full.group + 5 * full.head + window.group + window.head + 0.2)
    assert found.operations == 5 * full.operations + window.operations
    assert found.bytes == 3 * full.bytes  # the window's keys are read by a full head too; the second pair is dropped


def test_windows_of_a_prefill_hold_in_steps_too(profile: Profile) -> None:
    found = heedful.plan(profile, Budget(milliseconds=0.75, phase="decode"))
    assert set(found.options) <= set(OPTIONS)
    assert any("prefill" in note for note in found.notes)


def test_evictions_save_nothing_in_a_prefill(steps: Profile) -> None:
    with pytest.raises(UsageError, match="saves anything in prefill"):
        heedful.plan(steps, Budget(milliseconds=0.5))


def test_lengths_near_the_profiles_and_far_from_it(profile: Profile) -> None:
    longer = heedful.plan(profile, Budget(operations=0.5, length=96))
    assert "48 tokens" in longer.notes[0]
    assert longer.length == 96
    with pytest.raises(UsageError, match="more than 4 times as long"):
        heedful.plan(profile, Budget(operations=0.5, length=193))
    short = heedful.plan(profile, Budget(operations=0.9, length=20))
    assert "window(24,2)" not in short.options
    with pytest.raises(UsageError, match="saves anything"):
        heedful.plan(profile, Budget(operations=0.9, length=4))


def test_a_budget_below_the_least_is_refused(model: nn.Module) -> None:
    kept = heedful.profile(model, BATCHES[:1], options=["full", "window(4,1)"])
    with pytest.raises(Unmet, match="cheapest options take"):
        heedful.plan(kept, Budget(milliseconds="1us"))
    found = heedful.plan(kept, Budget(operations=0.35))
    assert "full" in found.options


def test_the_estimator_whose_whole_plan_loses_least_decides(model: nn.Module, profile: Profile) -> None:
    found = heedful.plan(profile, Budget(operations=0.3), model=model, batches=BATCHES)
    assert set(found.joint) == set(profile.losses)
    assert found.joint[found.estimator] == min(found.joint.values())
    assert found.joint[found.estimator] == pytest.approx(Trial(model, BATCHES).joint([found.choices])[0])
    assert found.saved_projections == 2 * 48 * 16 * 8 * sum(row.count("drop") + pairs(row) for row in found.choices)
    assert not model.training


def pairs(row: tuple[str, ...]) -> int:
    return sum(row[at] == row[at + 1] == "drop" for at in (0, 2))


def test_whole_plans_are_tried_by_their_divergence(model: nn.Module) -> None:
    everything = (("full",) * 4,) * 2
    nothing = (("drop",) * 4,) * 2
    dense, none = Trial(model, BATCHES).joint([everything, nothing])
    assert dense == pytest.approx(0.0, abs=1e-7)
    with torch.no_grad():
        logits = [model(batch["input_ids"]).logits[:, :-1].log_softmax(-1) for batch in BATCHES]
        bare = [mlp_only(model, batch["input_ids"])[:, :-1].log_softmax(-1) for batch in BATCHES]
    divergence = [(p.exp() * (p - q)).sum(-1) for p, q in zip(logits, bare, strict=True)]
    assert none == pytest.approx(torch.cat(divergence).mean().item(), rel=1e-4)


def mlp_only(model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    for layer in model.layers:
        layer.attention.core = lambda q, k, v, **options: torch.zeros_like(q)
    try:
        return model(ids).logits
    finally:
        for layer in model.layers:
            layer.attention.core = heedful.attend


def test_pairs_are_swapped_where_the_budget_is_tight(model: nn.Module, profile: Profile) -> None:
    found = heedful.plan(profile, Budget(operations=0.12), model=model, batches=BATCHES, search=Search(swaps=12))
    assert found.joint[f"{found.estimator} and swaps"] <= found.joint[found.estimator]
    assert found.predicted.operations <= 0.12 * found.dense.operations
    assert any("swaps of pairs tried" in note for note in found.notes)
    assert found.joint[f"{found.estimator} and swaps"] == pytest.approx(Trial(model, BATCHES).joint([found.choices])[0])


def test_swaps_find_what_single_losses_hide() -> None:
    losses, costs = np.array([[0.0, 1.0], [0.0, 1.1], [0.0, 1.2]]), np.array([[1.0, 0.0]] * 3)
    problem = Problem(losses, np.array([0, 1, 2]), {"milliseconds": Row(costs, np.zeros((3, 2)), 1.0)})
    joint = {(0, 1, 1): 9.0, (1, 0, 1): 5.0, (1, 1, 0): 8.0}
    found = swap.search(problem, np.array([1, 1, 0]), 8.0, lambda some: [joint[tuple(each.tolist())] for each in some], swap.Effort(10))
    assert (found.choice.tolist(), found.joint, found.tried) == ([1, 0, 1], 5.0, 2)
    stopped = swap.search(problem, np.array([1, 1, 0]), 8.0, lambda some: [joint[tuple(each.tolist())] for each in some], swap.Effort(1))
    assert stopped.tried == 1
    assert swap.search(problem, np.array([1, 1, 0]), 8.0, lambda some: [], swap.Effort(10, seconds=0.0)).tried == 0


def test_what_was_looked_at_is_written_down(model: nn.Module, profile: Profile) -> None:
    other = [{"input_ids": torch.arange(48)[None] % 13}]
    found = heedful.plan(profile, Budget(operations=0.5), model=model, batches=other)
    assert set(profile.batches) < set(found.calibrated)
    assert len(found.calibrated) == len(profile.batches) + 1


def test_it_is_written_and_read_again(profile: Profile, tmp_path: Path) -> None:
    found = heedful.plan(profile, Budget(milliseconds="3ms", bytes=0.5, length=40))
    assert Plan.load(found.save(tmp_path / "plan.json")) == found


def test_it_is_for_its_model_alone(model: nn.Module, profile: Profile) -> None:
    found = heedful.plan(profile, Budget(operations=0.5))
    found.refuse(model)
    with pytest.raises(UsageError, match="was made for the model"):
        found.refuse(decoder(layers=1))
    with pytest.raises(UsageError, match="is of the model"):
        heedful.plan(profile, Budget(operations=0.5), model=decoder(layers=1), batches=BATCHES)


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"version": 7}', '{"version": 1}'])
def test_files_that_are_no_plan(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with pytest.raises(DataError, match="cannot read"):
        Plan.load(path)
    path.write_text(damage)
    with pytest.raises(DataError) as caught:
        Plan.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plan_cut_short_is_no_plan(profile: Profile, tmp_path: Path) -> None:
    path = heedful.plan(profile, Budget(operations=0.5)).save(tmp_path / "plan.json")
    held = json.loads(path.read_text())
    for name in ("choices", "sites", "predicted", "budget"):
        path.write_text(json.dumps({**held, name: held[name][:1] if isinstance(held[name], list) else {}}))
        with pytest.raises(DataError, match="damaged"):
            Plan.load(path)


def test_what_it_refuses(model: nn.Module, profile: Profile) -> None:
    with pytest.raises(UsageError, match="together"):
        heedful.plan(profile, Budget(operations=0.5), model=model)
    with pytest.raises(UsageError, match="did you mean 'fisher'"):
        heedful.plan(profile, Budget(operations=0.5), search=Search(estimators=("fischer",)))
    with pytest.raises(UsageError, match="without any"):
        heedful.plan(replace(profile, losses={}), Budget(operations=0.5))


@pytest.mark.parametrize("name", [row.name for row in CONTROLS])
@pytest.mark.parametrize("share", [0.6, 0.35])
def test_controls_keep_within_the_same_budget(profile: Profile, name: str, share: float) -> None:
    case = Case.of(profile, Budget(milliseconds=share))
    found = control(name, case)
    assert found.predicted.milliseconds <= share * found.dense.milliseconds * (1 + 1e-9)
    assert found.estimator == name
    assert found.choices == control(name, case).choices
    best = heedful.plan(profile, Budget(milliseconds=share))
    assert best.loss <= found.loss * (1 + 1e-3) or name == "uniform_window"


def test_what_each_control_is(profile: Profile, steps: Profile) -> None:
    case = Case.of(profile, Budget(milliseconds=0.5))
    uniform = control("uniform_window", case)
    assert len(uniform.options) == 1
    assert uniform.predicted.milliseconds > 0.9 * 0.5 * uniform.dense.milliseconds
    assert set(control("michel", case).options) == {"full", "drop"}
    assert set(control("duo_attention", case).options) <= {"full", "window(24,2)", "window(8,2)"}
    assert control("random", case, 1).choices != control("random", case, 2).choices
    step = control("uniform_window", Case.of(steps, Budget(milliseconds=0.8, phase="decode")))
    assert next(iter(step.options)).startswith("streaming(")
    with pytest.raises(UsageError, match="did you mean 'michel'"):
        control("mitchel", case)


def test_it_is_drawn(profile: Profile) -> None:
    found = heedful.plan(profile, Budget(operations=0.4))
    lines = grid(found).splitlines()
    assert len(lines) == 3
    assert all(len(line.split()[1]) == 4 for line in lines[:2])
    assert all(f"{name} ({count})" in lines[2] for name, count in found.options.items())
    assert totals(found).row_count >= 5


def test_a_plan_slower_than_dense_attention_says_so(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "heedful.manage.prices.prices.priced",
        lambda kind, option, setting, known, start: Price(0.0, 1.0 if option.word == "full" else 2.0, option.attended(48), option.kept(48)),
    )
    found = heedful.plan(profile, Budget(operations=0.5))
    assert any("slower than dense" in note for note in found.notes) == (found.predicted.milliseconds > found.dense.milliseconds)
    assert found.predicted.milliseconds > found.dense.milliseconds
