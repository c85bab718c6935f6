from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from heedful.spec import AttentionSpec, DataSpec, DecoderSpec, MechanismSpec, RecurrentSpec, RunSpec, SpecError, TrainSpec


def test_a_decoder_knows_its_derived_widths() -> None:
    spec = DecoderSpec(width=96, heads=6, kv_heads=2)
    assert (spec.groups, spec.d, spec.inner) == (2, 16, 256)
    assert DecoderSpec(width=96, heads=5, head_dim=8).d == 8
    assert DecoderSpec(mlp="gelu", width=96, heads=6).inner == 384
    assert DecoderSpec(mlp_width=77).inner == 77


def test_specs_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DecoderSpec().width = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: DecoderSpec(width=10, heads=3), "heads"),
        (lambda: DecoderSpec(heads=4, kv_heads=3), "kv_heads"),
        (lambda: DecoderSpec(layers=0), "layers"),
        (lambda: DecoderSpec(mlp="relu"), "mlp"),  # type: ignore[arg-type]
        (lambda: DecoderSpec(norm="batch"), "norm"),  # type: ignore[arg-type]
        (lambda: DecoderSpec(dropout=1.0), "dropout"),
        (lambda: DecoderSpec(memory=-1), "memory"),
        (lambda: RecurrentSpec(hidden=0), "hidden"),
        (lambda: RecurrentSpec(vocabulary=-1), "vocabulary"),
        (lambda: AttentionSpec(softcap=0.0), "softcap"),
        (lambda: MechanismSpec(""), "name"),
        (lambda: DataSpec(validation=0.0), "validation"),
        (lambda: DataSpec(validation=0.6, test=0.5), "validation"),
        (lambda: DataSpec(vocabulary=2), "vocabulary"),
        (lambda: TrainSpec(steps=0), "steps"),
        (lambda: TrainSpec(learning_rate=float("nan")), "learning_rate"),
        (lambda: TrainSpec(betas=(0.9, 1.0)), "betas"),
        (lambda: TrainSpec(floor=1.5), "floor"),
        (lambda: TrainSpec(order="sorted"), "order"),  # type: ignore[arg-type]
        (lambda: TrainSpec(optimiser="muon", precision="fp16"), "precision"),
        (lambda: RunSpec(version=0), "version"),
    ],
)
def test_a_field_out_of_range_is_named(make: Callable[[], object], field: str) -> None:
    with pytest.raises(SpecError) as caught:
        make()
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


def test_a_run_ends_at_the_first_of_steps_and_epochs() -> None:
    assert TrainSpec().length(10) == 2000
    assert TrainSpec(steps=7).length(10) == 7
    assert TrainSpec(epochs=3).length(10) == 30
    assert TrainSpec(steps=7, epochs=3).length(10) == 7
    assert TrainSpec(steps=70, epochs=3).length(10) == 30
    assert TrainSpec(epochs=0.001).length(10) == 1
