"""Weightings, positions and linear attention compile into one graph, with their gradients."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_every_family_compiles_whole() -> None:
    program = Path(__file__).with_name("compiled_families.py")
    run = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
