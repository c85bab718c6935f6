import pytest
import torch
from torch import nn

from heedful.errors import UsageError
from heedful.layers.norm import RMSNorm, norm


def test_rms_is_the_formula() -> None:
    x, layer = torch.randn(2, 3, 8, dtype=torch.float64), RMSNorm(8, eps=1e-3).double()
    layer.weight.data.normal_()
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt() * layer.weight
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)
    assert torch.autograd.gradcheck(layer, x.requires_grad_())


def test_names() -> None:
    assert isinstance(norm("rms", 4), RMSNorm)
    found = norm("layer", 4, bias=False)
    assert isinstance(found, nn.LayerNorm)
    assert found.bias is None
    with pytest.raises(UsageError, match="did you mean 'layer'"):
        norm("layr", 4)
