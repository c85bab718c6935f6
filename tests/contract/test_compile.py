"""`attend` compiles into one graph: some of the contract's cases in every run, all of them among the slow ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])], ids=["some", "all"])
def test_cases_compile_whole(every: int) -> None:
    env = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "contract.compiled", str(every)]
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=TESTS, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
