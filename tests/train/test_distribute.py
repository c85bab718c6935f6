from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heedful.models.checkpoint import load_checkpoint
from heedful.spec import TrainSpec
from heedful.spec.yaml import dump
from heedful.train.history import Row, read_history
from heedful.train.run import Run
from train.toy import job

SPEC = TrainSpec(steps=12, batch=8, learning_rate=1e-2, warmup=4, log_every=1, eval_every=4, checkpoint_every=4, threads=1)
SCRIPT = Path(__file__).with_name("spread.py")


def launch(processes: int, path: Path, spec: TrainSpec, *flags: str) -> list[Row]:
    if not flags:
        todo = job(spec)
        Run.create(path, todo.spec, todo.tokenizer)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    alone = [sys.executable]
    command = [*(launcher if processes > 1 else alone), str(SCRIPT), str(path), dump(spec), *flags]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[1]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_history(path / "history.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize("spec", [SPEC, replace(SPEC, accumulate=2, order="shuffled"), replace(SPEC, order="stream")])
def test_two_processes_learn_what_one_does(spec: TrainSpec, tmp_path: Path) -> None:
    alone = launch(1, tmp_path / "alone", spec)
    shared = launch(2, tmp_path / "shared", replace(spec, batch=spec.batch // 2))
    assert [row["step"] for row in shared] == [row["step"] for row in alone]
    for one, two in zip(alone, shared, strict=True):
        for name in ("loss", "validation"):
            assert two.get(name, 0.0) == pytest.approx(one.get(name, 0.0), rel=1e-4)


@pytest.mark.slow
def test_two_processes_resume_as_two(tmp_path: Path) -> None:
    spec = replace(SPEC, schedule="constant")
    launch(2, tmp_path / "short", replace(spec, steps=7))
    resumed = launch(2, tmp_path / "short", spec, "--resume")
    straight = launch(2, tmp_path / "straight", spec)
    wanted = [(row["step"], row["loss"]) for row in straight if "loss" in row]
    assert [(row["step"], row["loss"]) for row in resumed if "loss" in row] == wanted
    assert load_checkpoint(tmp_path / "short" / "last.safetensors").step == 12
