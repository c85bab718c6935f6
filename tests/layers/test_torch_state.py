"""The state of torch.nn.MultiheadAttention goes in and comes out value for value."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn

from heedful.errors import ShapeError, Unsupported
from heedful.layers.multihead import MultiHeadAttention

KINDS = [
    {"bias": bias, "add_bias_kv": extra, "add_zero_attn": zero, **widths}
    for bias, extra, zero, widths in itertools.product(
        (True, False), (True, False), (True, False), ({}, {"kdim": 6, "vdim": 6}, {"kdim": 8, "vdim": 5}, {"kdim": 3})
    )
]


def theirs_of(**options: Any) -> nn.MultiheadAttention:
    mha = nn.MultiheadAttention(8, 2, batch_first=True, **options).double()
    for parameter in mha.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return mha


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_state_and_outputs_round_trip(options: dict[str, Any]) -> None:
    theirs = theirs_of(**options)
    ours = MultiHeadAttention.from_torch(theirs)
    state = ours.torch_state()
    assert state.keys() == theirs.state_dict().keys()
    assert all(torch.equal(state[name], value) for name, value in theirs.state_dict().items())
    again = nn.MultiheadAttention(8, 2, batch_first=True, **options).double()
    again.load_state_dict(state)
    x, k, v = (torch.randn(2, t, width, dtype=torch.float64) for t, width in ((3, 8), (5, theirs.kdim), (5, theirs.vdim)))
    out, weights = theirs(x, k, v, average_attn_weights=False)
    found, trace = ours(x, k, values=v, trace=True)
    torch.testing.assert_close(found, out, rtol=0, atol=1e-12)
    torch.testing.assert_close(trace.weights, weights, rtol=0, atol=1e-12)
    torch.testing.assert_close(ours(x, k, values=v), again(x, k, v)[0], rtol=0, atol=1e-12)


def test_it_is_a_copy_of_the_same_type_and_mode() -> None:
    theirs = theirs_of(dropout=0.3).eval()
    ours = MultiHeadAttention.from_torch(theirs)
    assert ours.in_proj_weight is not None
    assert ours.in_proj_weight.dtype == torch.float64
    assert ours.dropout == 0.3
    assert not ours.training
    assert ours.in_proj_weight.data_ptr() != theirs.in_proj_weight.data_ptr()


def test_masks_pass_over_the_extra_keys() -> None:
    theirs = theirs_of(add_bias_kv=True, add_zero_attn=True)
    ours, x = MultiHeadAttention.from_torch(theirs), torch.randn(1, 4, 8, dtype=torch.float64)
    causal = torch.ones(4, 4, dtype=torch.bool).tril()
    bias = torch.randn(4, 4, dtype=torch.float64)
    out, weights = theirs(x, x, x, attn_mask=bias.masked_fill(~causal, -torch.inf), average_attn_weights=False)
    found, trace = ours(x, mask=causal, bias=bias, trace=True)
    torch.testing.assert_close(found, out, rtol=0, atol=1e-12)
    torch.testing.assert_close(trace.weights, weights, rtol=0, atol=1e-12)


def test_a_state_that_does_not_fit_is_refused_and_nothing_is_loaded() -> None:
    ours = MultiHeadAttention(8, 2)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    narrow = nn.MultiheadAttention(4, 2).state_dict()
    with pytest.raises(ShapeError, match=r"in_proj_weight \(12, 4\) where \(24, 8\) fits"):
        ours.load_torch_state(narrow)
    with pytest.raises(ShapeError, match="in_proj_bias missing"):
        ours.load_torch_state(nn.MultiheadAttention(8, 2, bias=False).state_dict())
    with pytest.raises(ShapeError, match="q_proj_weight"):
        ours.load_torch_state(nn.MultiheadAttention(8, 2, kdim=4).state_dict())
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"qk_norm": True}, "no place for k_norm.weight, q_norm.weight"),
        ({"sinks": True}, "sink_logits"),
        ({"memory": 3}, "memory_k, memory_v"),
        ({"score": "additive"}, "score"),
        ({"kv_heads": 1}, "as many key heads as heads"),
        ({"head_dim": 3}, "8 wide together"),
        ({"out_bias": False}, "both projections or on none"),
    ],
)
def test_what_torch_has_no_place_for_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Unsupported, match=said):
        MultiHeadAttention(8, 2, **options).torch_state()
