"""Layers compile into one graph and export for any length."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_every_layer_compiles_whole_and_exports() -> None:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("compiled_layers.py")
    run = subprocess.run([sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, env=env, check=False)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]
