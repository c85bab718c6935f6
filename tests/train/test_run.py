from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from heedful.errors import CheckpointError, UsageError
from heedful.spec import RunSpec
from heedful.train import chance
from heedful.train.history import History, read_history
from heedful.train.run import Run
from train.toy import tokens


def test_a_run_remembers_how_it_began(tmp_path: Path) -> None:
    Run.create(tmp_path / "a" / "run", RunSpec(), tokens())
    run = Run.open(tmp_path / "a" / "run")
    assert run.spec == RunSpec()
    assert run.tokenizer.size == tokens().size


def test_a_run_is_never_written_over_unasked(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", RunSpec(), tokens())
    run.save_metrics({"loss": 1.0})
    run.save_state(5, {"version": 1})
    with pytest.raises(UsageError, match=r"holds a run already: --resume goes on with it, --overwrite starts anew"):
        Run.create(run.path, RunSpec(), tokens())
    assert json.loads(run.metrics_path.read_text()) == {"loss": 1.0}
    (run.path / "notes.md").write_text("mine")
    Run.create(run.path, RunSpec(), tokens(), overwrite=True)
    assert {path.name for path in run.path.iterdir()} == {"run.yaml", "tokenizer.json", "notes.md"}


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"x")
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="a folder with other files in it"):
            Run.create(tmp_path, RunSpec(), tokens(), overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
    with pytest.raises(UsageError, match="a file; a run is a folder"):
        Run.create(tmp_path / "photo.png", RunSpec(), tokens())


def test_what_is_no_run_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such folder"):
        Run.open(tmp_path / "none")
    with pytest.raises(CheckpointError, match=r"no run\.yaml in it"):
        Run.open(tmp_path)


def test_a_run_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", RunSpec(), tokens())
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        _ = run.checkpoint_path
    run.last_path.touch()
    assert run.checkpoint_path == run.last_path
    run.best_path.touch()
    assert run.checkpoint_path == run.best_path


def test_old_states_go_when_a_new_one_is_whole(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", RunSpec(), tokens())
    for step in (5, 10):
        run.save_state(step, {"step": step, "tensor": torch.arange(3)})
    assert run.load_state(5)["step"] == 5
    run.drop_states(keep=10)
    assert torch.equal(run.load_state(10)["tensor"], torch.arange(3))
    with pytest.raises(CheckpointError, match="no such file"):
        run.load_state(5)


def test_a_state_that_would_run_code_is_refused(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", RunSpec(), tokens())
    torch.save({"version": 1, "evil": Path("x")}, run.state_path(3))
    with pytest.raises(CheckpointError, match="cut short or damaged"):
        run.load_state(3)


def test_history_is_in_step_with_its_file(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    for step in (1, 2, 3):
        history.add({"step": step, "loss": 0.1 * step})
    assert read_history(tmp_path / "history.jsonl") == history.rows
    with (tmp_path / "history.jsonl").open("a") as file:
        file.write('{"step": 4, "lo')
    again = History(tmp_path / "history.jsonl")
    again.rewind(2)
    again.add({"step": 3, "loss": 0.3})
    assert [row["step"] for row in read_history(tmp_path / "history.jsonl")] == [1, 2, 3]


def test_every_generator_is_put_back(tmp_path: Path) -> None:
    import random

    chance.seed_all(7)
    random.random(), np.random.random(), torch.rand(1)
    run = Run.create(tmp_path / "run", RunSpec(), tokens())
    run.save_state(1, {"random": chance.capture()})

    def draw() -> tuple[float, float, float, float]:
        return random.random(), np.random.random(), np.random.standard_normal(), float(torch.rand(1))

    first = draw()
    chance.seed_all(8)
    chance.put_back(run.load_state(1)["random"])
    assert draw() == first
