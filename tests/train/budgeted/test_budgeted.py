"""Training under a budget: what is spent stays under it, windows are put back, and a run goes on as it would have."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from heedful.attention.masks.mask import Mask
from heedful.data.tokens import train_tokenizer
from heedful.errors import ShapeError, UsageError
from heedful.layers.gates.meter import spending
from heedful.layers.multihead import MultiHeadAttention
from heedful.masks import Causal, Window
from heedful.models.build import build
from heedful.spec import AttentionSpec, DataSpec, DecoderSpec, MechanismSpec, ModelSpec, RecurrentSpec, RunSpec, SpanSpec, TrainSpec
from heedful.train.budgeted.budgeted import told
from heedful.train.budgeted.growth import Growth, density, doubling, growth_to, narrowed
from heedful.train.budgeted.spend import span_spend
from heedful.train.job import Job
from heedful.train.loop import Trainer

TEXT = "the quick brown fox jumps over the lazy dog and runs away\n" * 30
MODEL = DecoderSpec(context=128, width=16, layers=2, heads=2)
TRAIN = TrainSpec(steps=30, batch=2, warmup=0, schedule="constant", log_every=1, eval_every=30, threads=1)


def job(model: ModelSpec, train: TrainSpec) -> Job:
    tokenizer = train_tokenizer("char", [TEXT])
    ids = tokenizer.encode(TEXT)
    spec = RunSpec(data=DataSpec("fox"), model=replace(model, vocabulary=tokenizer.size), train=train)
    torch.manual_seed(0)
    return Job(build(spec.model), spec, tokenizer, {"train": ids[:1500], "validation": ids[1500:]})


def test_gates_come_under_the_budget_and_without_one_do_not() -> None:
    gated = replace(MODEL, gate=MechanismSpec("laa"))
    spent = {}
    for budget in (0.3, None):
        trainer = Trainer(job(gated, replace(TRAIN, budget=budget, price=2.0, learning_rate=2e-2)))
        trainer.fit()
        with spending(trainer.job.model) as found, torch.no_grad():
            trainer.job.model(trainer.batches.draw().ids)
        spent[budget] = float(found.mean())
    assert spent[0.3] < 0.34 < spent[None]


def test_spans_come_under_the_budget() -> None:
    wide = replace(MODEL, attention=AttentionSpec(span=SpanSpec(start=0.9, ramp=4)))
    trainer = Trainer(job(wide, replace(TRAIN, budget=0.5, learning_rate=3e-2)))
    before = span_spend(trainer.job.model).item()
    trainer.fit()
    assert before > 0.95
    assert span_spend(trainer.job.model).item() < 0.53


def test_the_penalty_is_of_training_alone() -> None:
    wide = replace(MODEL, attention=AttentionSpec(span=SpanSpec(start=0.9, ramp=4)))
    plain, under = Trainer(job(wide, TRAIN)), Trainer(job(wide, replace(TRAIN, budget=0.5, price=3.0)))
    assert plain.judge() == under.judge()
    batch = plain.batches.draw()
    losses = [each.job.objective(each.model.train(), batch, None).loss.item() for each in (plain, under)]
    assert losses[1] - losses[0] == pytest.approx(3.0 * (span_spend(plain.job.model).item() - 0.5), abs=1e-5)


def test_a_model_with_nothing_to_pay_for_learns_under_windows_that_grow() -> None:
    todo = job(MODEL, replace(TRAIN, budget=0.8, steps=10))
    trainer = Trainer(todo)
    seen: list[Mask | None] = []
    attention = next(module for module in todo.model.modules() if isinstance(module, MultiHeadAttention))
    attention.register_forward_pre_hook(lambda layer, args: seen.append(layer.mask))
    for _ in range(10):
        trainer.step()
    assert seen[0] == Causal() & Window(64)
    assert seen[-1] == Causal()
    spent = sum(density(64, 128) if mask != Causal() else 1.0 for mask in seen) / 10
    assert spent == pytest.approx(0.8, abs=0.08)
    assert attention.mask == Causal()
    assert "windows of 64 tokens" in str(told(todo.model, todo.spec.train, 128))


def test_masks_are_put_back_after_an_error_and_encoders_see_both_sides() -> None:
    layers = torch.nn.ModuleList([MultiHeadAttention(8, 2, mask="causal"), MultiHeadAttention(8, 2)])
    with narrowed(layers, 5):
        seen = [layer.mask for layer in layers]
    assert seen == [Causal() & Window(5), Window(5, 4)]
    with pytest.raises(ShapeError), narrowed(layers, 5):
        layers[0](torch.zeros(1, 2, 9))
    assert [layer.mask for layer in layers] == [Causal(), None]


def test_a_run_that_was_stopped_goes_on_in_the_same_window() -> None:
    spec = replace(TRAIN, budget=0.8, steps=12)
    whole = Trainer(job(MODEL, spec)).fit().history.rows
    parts = Trainer(job(MODEL, spec))
    windows = []
    for step in range(12):
        with parts.around(step, 12):
            windows.append(next(module for module in parts.job.model.modules() if isinstance(module, MultiHeadAttention)).mask)
    assert windows[0] != windows[-1]
    other = Trainer(job(MODEL, spec))
    for step in range(12):  # a step's window is that of its number, whatever was done before
        with other.around(11 - step, 12):
            mask = next(module for module in other.job.model.modules() if isinstance(module, MultiHeadAttention)).mask
        assert mask == windows[11 - step]
    assert len([row for row in whole if "loss" in row]) == 12


@given(st.floats(0.1, 1.0), st.sampled_from([256, 512, 1024, 2048, 8192]))
def test_a_growth_spends_its_budget(budget: float, context: int) -> None:
    if budget < 1 - 0.95 * (1 - density(64, context)):
        with pytest.raises(UsageError, match="spend"):
            growth_to(budget, context)
        return
    growth = growth_to(budget, context)
    assert growth.spend(context) == pytest.approx(budget)
    windows = [growth.window(step, 1000) for step in range(1000)]
    counted = sum(1.0 if window is None else density(window, context) for window in windows) / 1000
    assert counted == pytest.approx(budget, abs=0.01)
    sizes = [window or context for window in windows]
    assert sizes == sorted(sizes)


def test_windows_double() -> None:
    assert doubling(1024) == (64, 128, 256, 512)
    assert doubling(64) == ()
    assert Growth((64,), 1.0).window(999, 1000) == 64


@pytest.mark.parametrize(
    ("model", "train", "message"),
    [
        (RecurrentSpec(context=8, embedding=4, hidden=4), TrainSpec(budget=0.5), "recurrent model has none"),
        (MODEL, TrainSpec(budget=0.05), "a larger budget or context"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(model: ModelSpec, train: TrainSpec, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Trainer(job(model, train))


@pytest.mark.parametrize("spec", [{"budget": 0.0}, {"budget": 1.2}, {"growth": 0.0}, {"price": -1.0}])
def test_fields_out_of_range_are_named(spec: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(spec))):
        TrainSpec(**spec)  # type: ignore[arg-type]
