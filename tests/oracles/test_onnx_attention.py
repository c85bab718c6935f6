"""The node cases of the ONNX backend for Attention and RotaryEmbedding: all 93 and 8 of them, none left out.

On sdpa those with a softcap are refused, and the refusal says why.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from heedful.attention.backends.table import BACKENDS
from heedful.errors import Unsupported
from oracles.onnx_adapter import attention, rotary_embedding
from oracles.onnx_cases import Case, collected
from oracles.onnx_names import ATTENTION, ROTARY


def agree(found: dict[str, np.ndarray], case: Case) -> None:
    """Every output under ONNX's own bound, or two units in the last place, which its runner grants bfloat16: half precision is
    rounded at each step there and once here."""
    assert found.keys() == case.outputs.keys()
    for name, expected in case.outputs.items():
        assert found[name].dtype == expected.dtype
        assert found[name].shape == expected.shape
        assert_close(found[name], expected, max(case.rtol, 2 * eps(expected.dtype)), case.atol)


def assert_close(found: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> None:
    """As the runner compares: bfloat16 as float32."""
    np.testing.assert_allclose(found.astype(np.float64), expected.astype(np.float64), rtol=rtol, atol=atol)


def eps(dtype: np.dtype) -> float:
    """The type's relative rounding unit; numpy knows no bfloat16."""
    return torch.finfo({"bfloat16": torch.bfloat16, "float16": torch.float16}.get(dtype.name, torch.float32)).eps


@pytest.mark.parametrize(("operator", "names", "count"), [("Attention", ATTENTION, 93), ("RotaryEmbedding", ROTARY, 8)])
def test_these_are_all_there_are(operator: str, names: tuple[str, ...], count: int) -> None:
    assert len(names) == len(set(names)) == count
    assert set(collected(operator)) == set(names)


@pytest.mark.parametrize("backend", ["auto", *(row.name for row in BACKENDS)])
@pytest.mark.parametrize("name", ATTENTION)
def test_attention(name: str, backend: str) -> None:
    case = collected("Attention")[name]
    try:
        found = attention(case, backend)
    except Unsupported as refusal:
        assert backend not in ("auto", "naive", "tiled")  # these serve every case
        pytest.xfail(str(refusal))
    agree(found, case)


@pytest.mark.parametrize("name", ROTARY)
def test_rotary_embedding(name: str) -> None:
    case = collected("RotaryEmbedding")[name]
    agree(rotary_embedding(case), case)
