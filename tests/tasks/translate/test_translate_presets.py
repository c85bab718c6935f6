"""Every preset of translate and summarise builds its model and takes a step, whatever pairs it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from heedful.cli.config import presets, settled
from heedful.tasks.translate.loading import pairs_of
from heedful.tasks.translate.preparing import prepared
from heedful.train.loop import Trainer

OURS = [name for name in presets() if name.startswith(("translate-", "summarise-"))]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.csv"
    path.write_text("source,target\n" + "".join(f"a {i} b {i % 7},c {i} d\n" for i in range(40)))
    return path


@pytest.mark.parametrize("name", OURS)
def test_a_preset_takes_a_step(name: str, table: Path) -> None:
    task = name.partition("-")[0]
    sizes = [f"model.{field}=16" for field in fields(name)]
    small = ["data.vocabulary=300", *sizes, "train.epochs=null", "train.steps=1", "train.log_every=1", "train.batch_tokens=64"]
    spec = settled(task, name, small if "char" not in str(settled(task, name, []).data) else small[1:])
    spec = replace(spec, data=replace(pairs_of(spec), source=str(table), pair=None))
    assert spec.task == task
    job = prepared(spec).job
    before = {key: value.clone() for key, value in job.model.state_dict().items()}
    trainer = Trainer(job)
    trainer.step()
    trainer.log()
    assert torch.isfinite(torch.tensor(trainer.history.rows[0]["loss"]))
    assert any(not torch.equal(before[key], value) for key, value in job.model.state_dict().items())


def fields(name: str) -> tuple[str, ...]:
    """The widths of a preset's model, made small: a step of the whole one takes seconds."""
    return ("embedding", "hidden") if "rnn" in name else ("width", "mlp_width")
