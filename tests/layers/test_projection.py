import pytest
import torch
from torch import nn

from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.projection import Projection, onto


@pytest.mark.parametrize("bias", [True, False])
def test_a_stream_is_added_and_left_alone(bias: bool) -> None:
    layer = Projection(4, 6, bias=bias).double()
    x, stream = (torch.randn(2, 3, n, dtype=torch.float64, requires_grad=True) for n in (4, 6))
    before = stream.detach().clone()
    assert torch.equal(layer(x, stream), stream + layer(x))
    assert torch.equal(stream, before)
    assert torch.autograd.gradcheck(layer, (x, stream))


def test_a_narrower_product_does_not_narrow_the_stream() -> None:
    layer, x, stream = Projection(4, 6), torch.randn(2, 4), torch.randn(2, 6)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x, stream).dtype == torch.float32


def test_what_took_its_place_is_added_too() -> None:
    layer, x, stream = nn.Linear(4, 6), torch.randn(2, 4), torch.randn(2, 6)
    assert torch.equal(onto(stream, layer, x), stream + layer(x))
    assert torch.equal(onto(None, layer, x), layer(x))


@pytest.mark.parametrize("feed", ["gelu", "swiglu"])
def test_a_block_in_training_is_the_block_in_evaluation(feed: str) -> None:
    block = TransformerBlock(MultiHeadAttention(16, 4, mask="causal"), mlp(feed, 16))
    x = torch.randn(2, 5, 16, requires_grad=True)
    outs, grads = [], []
    for training in (True, False):
        out = block.train(training)(x)
        outs.append(out)
        grads.append(torch.autograd.grad(out.square().sum(), [x, *block.parameters()]))
    assert torch.equal(*outs)
    assert all(torch.equal(a, b) for a, b in zip(*grads, strict=True))


def test_a_hook_in_evaluation_sees_the_branch_alone() -> None:
    block = TransformerBlock(MultiHeadAttention(16, 4, mask="causal")).eval()
    seen: list[torch.Tensor] = []
    handle = block.attention.register_forward_hook(lambda module, args, out: seen.append(out))
    x = torch.randn(1, 3, 16)
    block(x)
    handle.remove()
    assert torch.equal(seen[0], block.attention(block.attention_norm(x)))
