"""Declared equals counted, on plain torch."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.cost.counter import counter
from heedful.cost.formulas import Cost, embedding, linear, mlp, norm, product, product_backward, recurrent


def moved(*tensors: Tensor) -> int:
    return sum(t.numel() * t.itemsize for t in tensors)


def test_costs_add_and_repeat():
    assert Cost(1, 2) + Cost(10, 20) == Cost(11, 22)
    assert 3 * Cost(1, 2) == Cost(3, 6)
    assert sum([Cost(1, 2)] * 4, Cost()) == Cost(4, 8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_product_and_its_gradients(dtype):
    a, b = torch.randn(3, 5, 7, dtype=dtype, requires_grad=True), torch.randn(3, 7, 4, dtype=dtype, requires_grad=True)
    with counter() as forward:
        out = a @ b
    with counter() as backward:
        out.sum().backward()
    assert product(5, 7, 4, batch=3, dtype=dtype) == Cost(forward.get_total_flops(), moved(a, b, out))
    assert product_backward(5, 7, 4, batch=3, dtype=dtype) == Cost(backward.get_total_flops(), moved(a, b, out, a.grad, b.grad))


@pytest.mark.parametrize("bias", [False, True])
def test_linear(bias):
    layer, x = nn.Linear(7, 4, bias=bias), torch.randn(2, 5, 7)
    with counter() as counted:
        out = layer(x)
    assert linear(10, 7, 4, bias=bias) == Cost(counted.get_total_flops(), moved(x, *layer.parameters(), out))


@pytest.mark.parametrize("gated", [False, True])
def test_mlp(gated):
    x = torch.randn(2, 5, 8)
    up, gate, down = nn.Linear(8, 12, bias=False), nn.Linear(8, 12, bias=False), nn.Linear(12, 8, bias=False)
    with counter() as counted:
        down(F.silu(gate(x)) * up(x) if gated else F.gelu(up(x)))
    assert mlp(10, 8, 12, gated=gated).operations == counted.get_total_flops()


def test_what_has_no_products_costs_bytes_alone():
    table, ids = nn.Embedding(11, 6), torch.randint(11, (2, 5))
    with counter() as counted:
        x = table(ids)
        y = F.rms_norm(x, (6,), torch.ones(6))
    assert counted.get_total_flops() == 0
    assert embedding(10, 6) == Cost(0, moved(ids, x, x))
    assert norm(10, 6) == Cost(0, moved(x, torch.ones(6), y))


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize(("kind", "gates"), [(nn.LSTM, 4), (nn.GRU, 3), (nn.RNN, 1)])
@pytest.mark.parametrize(("layers", "directions"), [(1, 1), (2, 1), (2, 2)])
def test_recurrent_stacks(kind, gates, layers, directions, grad):
    stack = kind(8, 16, num_layers=layers, bidirectional=directions == 2, batch_first=True)
    with torch.set_grad_enabled(grad), counter() as counted:
        stack(torch.randn(2, 5, 8))
    assert recurrent(2, 5, 8, 16, gates=gates, layers=layers, directions=directions).operations == counted.get_total_flops()


def test_the_gradient_of_an_lstm_is_twice_its_forward_pass():
    stack, x = nn.LSTM(8, 16, batch_first=True), torch.randn(2, 5, 8, requires_grad=True)
    out, _ = stack(x)
    with counter() as counted:
        out.sum().backward()
    assert counted.get_total_flops() == 2 * recurrent(2, 5, 8, 16).operations


def test_a_recurrent_step_reads_its_weights_again():
    once, ten = recurrent(1, 1, 8, 16), recurrent(1, 10, 8, 16)
    assert ten.operations == 10 * once.operations
    assert ten.bytes > 9 * 4 * 16 * 16 * 4  # the hidden state's weights, nine times more
