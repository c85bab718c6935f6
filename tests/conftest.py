"""What every test stands on: shapes checked where they are written, one thread a worker, seeds set."""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

# Signatures of the pure functions are checked against the tensors they get, in tests only: such checks would break
# torch.compile(fullgraph=True), which runs in processes of its own (tests/contract/test_compile.py).
SHAPED = ("heedful.attention.scores", "heedful.attention.weightings", "heedful.attention.positions", "heedful.attention.linear")

if not os.environ.get("HEEDFUL_UNCHECKED"):
    install_import_hook(SHAPED, "beartype.beartype")

# How fast the machine is decides no test.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same seed, on one thread."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
