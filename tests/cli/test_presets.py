"""Every preset is a whole spec that builds a model and takes a step, whatever text it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heedful.cli.config import found, presets, settled
from heedful.errors import DataError, UsageError
from heedful.spec import DataSpec
from heedful.tasks.classify.preparing import prepared as labelled
from heedful.tasks.training import prepared
from heedful.train.loop import Trainer

WORDS = 10_100  # more than the largest cutoff of any adaptive softmax


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text of many different words, long enough for the largest batch of streams."""
    path = tmp_path_factory.mktemp("text") / "words.txt"
    path.write_text("".join(f"w{i % WORDS} \n" if i % 20 == 0 else f"w{i % WORDS} " for i in range(2 * WORDS)))
    return path


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of two classes, more than the largest batch of a classifier."""
    path = tmp_path_factory.mktemp("text") / "table.csv"
    path.write_text("text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} w{i % 37} and w{i % 41},{i % 2}\n" for i in range(200)))
    return path


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lines without classes: words enough, and each often enough, for vectors of 200 numbers."""
    path = tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text("".join(f"w{i % 257} w{i % 263} good\n" for i in range(1300)))
    return path


@pytest.mark.parametrize("name", [name for name in presets() if name.startswith(("generate-", "classify-"))])  # others: their own tests
def test_a_preset_takes_a_step(name: str, words: Path, table: Path, unlabelled: Path) -> None:
    task = name.split("-", maxsplit=1)[0]
    spec = settled(task, name, ["train.epochs=null", "train.steps=1", "train.eval_every=10", "train.log_every=1"])
    assert spec.task == task
    sources = {"generate": words, "classify": table}
    vectors = (str(unlabelled),) if spec.texts.vectors else ()
    spec = replace(spec, data=replace(spec.texts, source=str(sources[task]), vectors=vectors))
    job = labelled(spec).job if task == "classify" else prepared(spec)
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert torch.isfinite(torch.tensor(trainer.history.rows[0]["loss"]))
    assert any(not torch.equal(before[key], value) for key, value in job.model.state_dict().items())


@pytest.mark.parametrize("name", presets())
def test_a_preset_says_how_it_is_run(name: str) -> None:
    task, _, short = name.partition("-")
    head = found(task, name).read_text().splitlines()
    assert any(line.startswith(f"#   heedful train {task}") for line in head)
    assert short == "default" or any(f"--config {short}" in line for line in head)


def test_a_preset_is_found_by_its_short_name_and_a_file_by_its_path(tmp_path: Path) -> None:
    assert found("generate", "lstm") == found("generate", "generate-lstm")
    mine = tmp_path / "mine.yaml"
    mine.write_text("data: {source: mine.txt}\n")
    assert settled("generate", str(mine), []).data == DataSpec("mine.txt")


def test_what_is_set_by_hand_comes_last() -> None:
    spec = settled("generate", None, ["model.width=64", "data.source=mine.txt"])
    assert (spec.model.width, spec.data.source) == (64, "mine.txt")  # type: ignore[union-attr]


def test_a_preset_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'shakespeare'"):
        found("generate", "shakespear")
    with pytest.raises(DataError, match="no such file"):
        found("generate", "there/mine.yaml")


def test_the_nanogpt_preset_is_nanogpts_cpu_setting() -> None:
    spec = settled("generate", "nanogpt-cpu", [])
    model, train = spec.model, spec.train
    assert (model.layers, model.heads, model.width, model.context) == (4, 4, 128, 64)  # type: ignore[union-attr]
    assert (train.batch, train.steps, train.optimiser, model.dropout) == (12, 2000, "adamw", 0.0)
    assert (model.norm, model.mlp, model.tied, model.bias) == ("layer", "gelu", True, False)  # type: ignore[union-attr]


def test_the_lstm_preset_is_the_recurrent_model_of_the_task() -> None:
    spec = settled("generate", "lstm", [])
    assert (spec.data.vocabulary, spec.model.embedding, spec.model.hidden) == (10_000, 256, 512)  # type: ignore[union-attr]
    assert (spec.model.context, spec.train.batch, spec.train.epochs) == (50, 64, 10)
