"""torch's own samples for its attention modules, as its test suite has them: 64 for nn.MultiheadAttention, and more around it.

Every sample runs through the original and through a converted copy, in training and evaluation, outputs and gradients.
"""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from heedful.layers.convert import convert
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.torch_attention import TorchAttention

MODULES = {
    nn.MultiheadAttention: 64,
    nn.TransformerEncoderLayer: 35,
    nn.TransformerDecoderLayer: 67,
    nn.TransformerEncoder: 35,
    nn.Transformer: 64,
}

pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:The PyTorch API of nested tensors")


def samples(kind: type[nn.Module], training: bool) -> list[Any]:
    """torch's ModuleInputs for one module class."""
    before = os.environ.copy()
    from torch.testing._internal.common_modules import module_db

    os.environ.clear()
    os.environ.update(before)  # importing torch's test harness sets variables of its own
    (info,) = [each for each in module_db if each.module_cls is kind]
    return list(info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training))


def build(kind: type[nn.Module], sample: Any, training: bool) -> nn.Module:
    given = sample.constructor_input
    options = {} if kind is nn.TransformerEncoder else {"dtype": torch.float64}
    torch.manual_seed(0)
    module = kind(*given.args, **given.kwargs, **options).double().train(training)
    for parameter in module.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return module


def ours_of(theirs: nn.Module) -> nn.Module:
    if isinstance(theirs, nn.MultiheadAttention):
        return TorchAttention(copy.deepcopy(theirs))
    ours = copy.deepcopy(theirs)
    assert len(convert(ours)) > 0
    return ours


def run(module: nn.Module, sample: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs, and the gradients of inputs and parameters."""
    given = sample.forward_input
    outputs = [each for each in tree_leaves(module(*given.args, **given.kwargs)) if isinstance(each, Tensor)]
    sources = [x for x in tree_leaves((given.args, given.kwargs)) if isinstance(x, Tensor) and x.requires_grad]
    total = sum((out.square().sum() for out in outputs), torch.zeros((), dtype=torch.float64))
    found = torch.autograd.grad(total, [*sources, *module.parameters()], allow_unused=True)
    return outputs, [torch.zeros(()) if grad is None else grad for grad in found]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("kind", MODULES, ids=lambda kind: kind.__name__)
def test_every_sample_of_torch(kind: type[nn.Module], training: bool) -> None:
    found = samples(kind, training)
    assert len(found) >= MODULES[kind]
    for sample in found:
        theirs = build(kind, sample, training)
        ours = ours_of(theirs)
        for expected, got in zip(run(theirs, sample), run(ours, sample), strict=True):
            assert len(got) == len(expected)
            for a, b in zip(expected, got, strict=True):
                torch.testing.assert_close(b, a, rtol=0, atol=1e-11, msg=lambda said, sample=sample: f"{sample.desc} {sample}: {said}")
        with torch.no_grad():  # in evaluation this is where torch's fused kernels answer
            given = sample.forward_input
            expected, got = (tree_leaves(module(*given.args, **given.kwargs)) for module in (theirs, ours))
            for a, b in zip(expected, got, strict=True):
                torch.testing.assert_close(b, a, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    "options", [{}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 12, "vdim": 20}], ids=str
)
@pytest.mark.parametrize("lengths", [(1, 1), (7, 7), (5, 63), (100, 100)], ids=str)
def test_our_layer_with_torchs_weights(options: dict[str, Any], lengths: tuple[int, int]) -> None:
    theirs = nn.MultiheadAttention(16, 4, batch_first=True, **options).double()
    ours = MultiHeadAttention.from_torch(theirs)
    x = torch.randn(2, lengths[0], 16, dtype=torch.float64, requires_grad=True)
    k = torch.randn(2, lengths[1], theirs.kdim, dtype=torch.float64, requires_grad=True)
    v = torch.randn(2, lengths[1], theirs.vdim, dtype=torch.float64, requires_grad=True)
    blocked = torch.rand(lengths) > 0.7
    blocked[:, 0] = False
    expected, weights = theirs(x, k, v, attn_mask=blocked, average_attn_weights=False)
    out, trace = ours(x, k, values=v, mask=~blocked, trace=True)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(trace.weights, weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours(x, k, values=v, mask=~blocked), expected, rtol=0, atol=1e-12)
    theirs_grads = torch.autograd.grad(expected.square().sum(), [x, k, v, *theirs.parameters()])
    named = dict(ours.named_parameters())
    ours_grads = torch.autograd.grad(out.square().sum(), [x, k, v, *(named[name] for name, _ in theirs.named_parameters())])
    for a, b in zip(theirs_grads, ours_grads, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-12, atol=1e-11)
