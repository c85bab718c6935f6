"""Declared equals counted: attention on plain torch and through the CPU's fused kernel, and every score of the table."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from heedful.attention.mechanism import Shape, create
from heedful.attention.scores.table import SCORES
from heedful.cost import attention as declared
from heedful.cost.attention import Sizes
from heedful.cost.counter import counter
from heedful.cost.formulas import Cost
from heedful.errors import UsageError

CALLS = [Sizes(2, 4, 4, 5, 7, 8, 8), Sizes(1, 4, 2, 1, 63, 16, 12), Sizes(3, 2, 1, 9, 9, 4, 4)]


def tensors(s: Sizes, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    shapes = (s.b, s.h, s.q, s.d), (s.b, s.g, s.k, s.d_k or s.d), (s.b, s.g, s.k, s.v)
    return tuple(torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes)


def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention in plain torch, keys and values of a group read by all its heads."""
    b, h, n, d = q.shape
    grouped = q.reshape(b, k.shape[1], -1, d)
    return (torch.softmax(grouped @ k.mT / d**0.5, dim=-1) @ v).reshape(b, h, n, -1)


@pytest.mark.parametrize("s", CALLS)
def test_plain_attention(s):
    q, k, v = tensors(s)
    with counter() as forward:
        out = plain(q, k, v)
    with counter() as backward:
        out.sum().backward()
    assert declared.forward(s).operations == forward.get_total_flops()
    assert declared.backward(s, materialised=True).operations == backward.get_total_flops()
    assert declared.dot(s).operations + declared.weighted_sum(s).operations == forward.get_total_flops()


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("kind", ["none", "causal", "mask"])
@pytest.mark.parametrize("s", [s for s in CALLS if s.d == s.v])
def test_fused_attention(s, kind, grad):
    q, k, v = tensors(s)
    mask = torch.ones(s.q, s.k, dtype=torch.bool) if kind == "mask" else None
    with torch.set_grad_enabled(grad), counter() as forward:
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=kind == "causal", enable_gqa=True)
    assert declared.forward(s).operations == forward.get_total_flops()
    if grad:
        with counter() as backward:
            out.sum().backward()
        assert declared.backward(s).operations == backward.get_total_flops()


def test_torch_alone_counts_nothing_for_the_fused_kernel_of_the_cpu():
    """Why `counter` exists; when this fails, torch has learnt it."""
    q, k, v = tensors(CALLS[0])
    with FlopCounterMode(display=False) as bare:
        F.scaled_dot_product_attention(q, k, v)
    assert bare.get_total_flops() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bytes_are_those_of_the_tensors(dtype):
    s = Sizes(2, 4, 2, 5, 7, 8, 6, dtype=dtype)
    q, k, v = tensors(s, dtype)
    out = plain(q, k, v)
    read = sum(t.numel() * t.itemsize for t in (q, k, v))
    written = out.numel() * out.itemsize
    table = s.b * s.h * s.q * s.k * out.itemsize
    assert declared.forward(s).bytes == read + written
    assert declared.forward(s, materialised=True).bytes == read + written + 4 * table
    assert declared.backward(s).bytes == 2 * read + 2 * written
    assert declared.backward(s, materialised=True).bytes == 2 * read + written + 7 * table


def test_what_a_mask_leaves_out_costs_nothing():
    full, half = Sizes(1, 2, 2, 10, 10, 4, 4), Sizes(1, 2, 2, 10, 10, 4, 4, density=0.5)
    assert declared.forward(half).operations * 2 == declared.forward(full).operations
    assert declared.forward(half).bytes == declared.forward(full).bytes
    assert declared.forward(Sizes(1, 2, 2, 10, 10, 4, 4, density=0.0)).operations == 0


OPTIONS = {
    "additive": [({}, {}), ({"hidden": 5}, {"hidden": 5}), ({"shared": True}, {})],
    "concat": [({}, {}), ({"hidden": 5}, {"hidden": 5})],
    "biased": [({}, {}), ({"radius": 3}, {})],
    "query_biased": [({"max_k": 80}, {"places": 80}), ({"radius": 3}, {"places": 7})],
    "content_biased": [({}, {}), ({"width": 5}, {"width": 5})],
}
ROWS = [(row.name, *options) for row in SCORES for options in OPTIONS.get(row.name, [({}, {})])]


@pytest.mark.parametrize("s", CALLS)
@pytest.mark.parametrize(("name", "options", "sizes"), ROWS)
def test_every_score(name, options, sizes, s):
    score = create("score", SCORES, name, Shape(s.h, s.g, s.d, s.q, s.k, s.b), options)
    q, k, _ = tensors(s)
    with counter() as forward:
        out = score(q, k, scale=0.5)
    with counter() as backward:
        out.sum().backward()
    assert declared.score(name, s, **sizes).operations == forward.get_total_flops()
    assert backward.get_total_flops() == 2 * forward.get_total_flops()


def test_keys_of_another_width():
    s = Sizes(2, 4, 2, 5, 7, 8, 8, d_k=6)
    q, k, _ = tensors(s)
    for name in ("general", "additive", "concat"):
        score = create("score", SCORES, name, Shape(4, 2, 8, 5, 7), {"d_k": 6})
        with counter() as counted:
            score(q, k, scale=1.0)
        assert declared.score(name, s).operations == counted.get_total_flops()


def test_content_of_tokens():
    s = Sizes(2, 4, 2, 5, 7, 8, 8)
    score = create("score", SCORES, "content_biased", Shape(4, 2, 8, 5, 7), {"vocabulary": 11, "width": 3})
    q, k, _ = tensors(s)
    with counter() as counted:
        score.at(torch.randint(11, (2, 7)))(q, k, scale=1.0)
    assert declared.score("content_biased", s, width=3, tokens=True).operations == counted.get_total_flops()


def test_every_score_of_the_table_is_declared():
    assert sorted(row.name for row in SCORES) == sorted(declared.SCORES)


@pytest.mark.parametrize("context", [None, 12])
def test_a_whole_layer(context):
    s, m = Sizes(2, 4, 2, 5, 5 if context is None else 7, 8, 8), 24
    x, read = torch.randn(2, s.q, m), torch.randn(2, s.k, context or m)
    w_q, w_k, w_v, w_o = torch.randn(m, 32), torch.randn(context or m, 16), torch.randn(context or m, 16), torch.randn(32, m)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, 8)).transpose(1, 2)

    with counter() as counted:
        plain(heads(x @ w_q), heads(read @ w_k), heads(read @ w_v)).transpose(1, 2).flatten(2) @ w_o
    assert declared.multihead(s, m, context).operations == counted.get_total_flops()


def test_bad_sizes():
    with pytest.raises(UsageError, match="3 key/value heads do not divide 4"):
        Sizes(1, 4, 3, 1, 1, 1, 1)
    with pytest.raises(UsageError, match=r"\[0, 1\]"):
        Sizes(1, 4, 4, 1, 1, 1, 1, density=1.5)
    with pytest.raises(UsageError, match="scaled_dot"):
        declared.score("scaled_dto", CALLS[0])


def test_costs_are_costs():
    assert isinstance(declared.forward(CALLS[0]), Cost)
