from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import DataError, UsageError
from heedful.spec import DecoderSpec, MechanismSpec, RecurrentSpec, RunSpec, TrainSpec
from heedful.spec.yaml import dump, load, override, parse


def test_a_dumped_spec_parses_to_itself() -> None:
    window = MechanismSpec("window", {"size": 64})
    model = override(RunSpec(), ["model.gate={name: se, reduction: 4}", "model.attention.qk_norm=true"])
    for spec in (RunSpec(), RunSpec(model=RecurrentSpec(attention=None)), model, override(RunSpec(), ["model.attention.mask=[window]"])):
        assert parse(dump(spec), RunSpec) == spec
    assert parse(dump(window), MechanismSpec) == window


def test_an_empty_text_is_all_defaults() -> None:
    assert parse("", RunSpec) == RunSpec()
    assert parse("train: {steps: 5}", RunSpec) == RunSpec(train=TrainSpec(steps=5))


def test_words_people_write_mean_what_they_say() -> None:
    spec = parse("precision: no\nlearning_rate: 1e-3\nbetas: [0.9, 1e-1]\nclip: null\nweight_decay: 1", TrainSpec)
    assert (spec.precision, spec.learning_rate, spec.betas, spec.clip) == ("no", 1e-3, (0.9, 0.1), None)
    assert isinstance(spec.weight_decay, float)


def test_a_mechanism_is_a_name_or_a_name_with_options() -> None:
    text = "model:\n  attention:\n    mask: [{name: window, size: 8}, blocks]\n    position: null\n    score: additive"
    attention = parse(text, RunSpec).model.attention  # type: ignore[union-attr]
    assert attention.mask == (MechanismSpec("window", {"size": 8}), MechanismSpec("blocks"))
    assert attention.position is None
    assert attention.score == MechanismSpec("additive")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model:\n  layers: 2\n  wdth: 3", "f.yaml line 3: model.wdth: unknown field: did you mean 'width'?"),
        ("model:\n  width: 3\n  width: 4", "f.yaml line 3: model.width is already set on line 2"),
        ("model:\n  width: wide", "f.yaml line 2: model.width: wants a whole number, found 'wide' (text)"),
        ("model:\n  bias: 1", "f.yaml line 2: model.bias: wants true or false, found 1 (a whole number)"),
        ("train: {steps: true}", "f.yaml line 1: train.steps: wants a whole number, found True (true or false)"),
        ("train: 3", "f.yaml line 1: train: wants fields and their values, found 3 (a whole number)"),
        ("- 1", "f.yaml: the file: wants fields and their values, found a list of 1"),
        ("model: [1", "f.yaml line 1: not YAML"),
        ("model: !!python/object:os.system x", "f.yaml line 1: could not determine a constructor"),
        ("model: {kind: rnn}", "f.yaml line 1: model.kind: unknown choice 'rnn'"),
        ("model:\n  kind: recurrent\n  heads: 2", "f.yaml line 3: model.heads: unknown field"),
        ("model:\n  width: 10\n  heads: 3", "f.yaml line 3: model.heads: 3 heads do not divide width 10"),
        ("model:\n  attention:\n    mask:\n    - {size: 3}", "f.yaml line 4: model.attention.mask.0: wants a name"),
        ("model:\n  attention:\n    dropout: 1.0", "f.yaml line 3: model.attention.dropout: must be at least 0 and below 1"),
        ("train: {betas: [0.9]}", "f.yaml line 1: train.betas: wants a list of 2, found a list of 1"),
        ("data: {tokenizer: chars}", "f.yaml line 1: data.tokenizer: unknown choice 'chars': did you mean 'char'?"),
        ("version: 99", "f.yaml line 1: version: version 99 is newer than this Heedful reads"),
    ],
)
def test_an_error_names_file_line_and_field(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, RunSpec, "f.yaml")
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "none.yaml", RunSpec)
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(DataError, match=r"bad\.yaml"):
        load(tmp_path / "bad.yaml", RunSpec)
    (tmp_path / "good.yaml").write_text("train: {steps: 7}")
    assert load(tmp_path / "good.yaml", RunSpec).train.steps == 7


def test_settings_reach_any_field() -> None:
    spec = override(
        RunSpec(),
        ["model.width=64", "model.attention.mask={name: window, size: 32}", "model.attention.position.base=500", "train.precision=no"],
    )
    assert isinstance(spec.model, DecoderSpec)
    assert spec.model.width == 64
    assert spec.model.attention.mask == (MechanismSpec("window", {"size": 32}),)
    assert spec.model.attention.position == MechanismSpec("rope", {"base": 500})
    assert spec.train.precision == "no"


def test_another_kind_of_model_starts_from_its_own_defaults() -> None:
    assert override(RunSpec(), ["model.hidden=32", "model.kind=recurrent"]).model == RecurrentSpec(hidden=32)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("model.widht=3", "setting model.widht: unknown field: did you mean 'width'?"),
        ("model.width", "setting 'model.width': a setting is written field=value"),
        ("=3", "setting '=3'"),
        ("model..width=3", "setting 'model..width=3'"),
        ("model.width=[1", "setting model.width line 1: not YAML"),
        ("model.heads=3", "setting model.heads: 3 heads do not divide width 128"),
        ("model=", "setting model: wants fields and their values, found nothing (null)"),
    ],
)
def test_a_bad_setting_is_refused(setting: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(RunSpec(), [setting])
    assert str(caught.value).startswith(says)


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_in_one_line(text: str) -> None:
    message = ""
    try:
        parse(text, RunSpec)
    except UsageError as error:
        message = str(error)
    assert "\n" not in message.strip()
