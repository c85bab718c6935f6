import math

import pytest
import torch

from heedful.errors import UsageError
from heedful.layers.mlp import GELU, SwiGLU, mlp


def test_gelu_is_the_formula() -> None:
    layer, x = GELU(6, 10).double(), torch.randn(2, 3, 6, dtype=torch.float64)
    inner = x @ layer.up.weight.T + layer.up.bias
    inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    torch.testing.assert_close(layer(x), inner @ layer.down.weight.T + layer.down.bias, rtol=0, atol=1e-12)


def test_swiglu_is_the_formula() -> None:
    layer, x = SwiGLU(6, 10).double(), torch.randn(2, 3, 6, dtype=torch.float64)
    gate, value = (x @ half.T for half in layer.up.weight.split(10))
    expected = (gate * torch.sigmoid(gate) * value) @ layer.down.weight.T
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)


def test_widths_and_names() -> None:
    assert SwiGLU(128).down.in_features == 344
    assert GELU(128).down.in_features == 512
    assert isinstance(mlp("swiglu", 8, bias=False), SwiGLU)
    with pytest.raises(UsageError, match="unknown mlp 'relu'"):
        mlp("relu", 8)
