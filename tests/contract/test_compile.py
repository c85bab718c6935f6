"""`attend` compiles into one graph for every row of every table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_case_compiles_whole() -> None:
    env = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-m", "contract.compiled"], capture_output=True, text=True, env=env, cwd=TESTS, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
